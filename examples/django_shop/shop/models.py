import uuid

from django.db import models

NEW, CHECKING = "new", "checking"


def new_number():
    return uuid.uuid4().hex


class Order(models.Model):
    """``number`` is the ``out_trade_no``."""

    number = models.CharField(max_length=32, primary_key=True, default=new_number)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=20, default=NEW)

    def __str__(self):
        return self.number
