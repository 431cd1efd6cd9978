"""The demo's shop with one mistake: ``python migrate_bugs.py BUG FOLDER``, in the place of the honest process."""
import sys

from alipay_mapi.demo.migrating import books, process, shop
from alipay_mapi.fallback import changes
from alipay_mapi.migration.router import Router


def refund_on_the_other_gateway():
    """The fallback sends a refund to the gateway that the order does not live on."""
    honest = shop.Shop.settings

    def settings(self):
        honest(self)
        gateways = self.fallback.backends[shop.SHOP]
        gateways["mapi"].send_refund, gateways["ams"].send_refund = (
            gateways["ams"].send_refund, gateways["mapi"].send_refund)
    shop.Shop.settings = settings


def message_of_the_other_gateway_believed():
    """Whatever a gateway says of a number is taken for the order's."""
    honest = changes.by_notification
    changes.by_notification = lambda stored, note, now, schedule, gateway: honest(
        stored, note, now, schedule, stored.gateway)


def effect_done_again():
    """The handler does not look at the key."""
    honest = books.Books.is_new

    def is_new(self, effect):
        honest(self, effect)
        return True
    books.Books.is_new = is_new


def order_made_again_elsewhere():
    """A new page for a known order is made where new orders go now."""
    honest = Router.place

    def place(self, order, service, params, timeout=None):
        honest(self, order, service, params, timeout)
        return self._chosen(order, service, params)
    Router.place = place


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    process.main(sys.argv[2:])
