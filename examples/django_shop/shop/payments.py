"""What this shop does when Alipay has proved something."""
from .models import Order

#: What an effect means to this shop. All else is for a person.
STATES = {"paid": "paid", "closed": "cancelled", "refunded": "refunded"}


def settle(connection, effect):
    """WITHIN: called once for each effect, in the transaction that records it as carried out."""
    Order.objects.filter(number=effect.out_trade_no).update(state=STATES.get(effect.kind, "for a person"))
