from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from alipay_mapi import Order as AlipayOrder
from alipay_mapi.contrib.django import payment

from .models import CHECKING, NEW, Order

PRODUCT, PRICE, CURRENCY = "Green tea, 500 g", "12.30", "USD"


@require_GET
def product(request):
    return render(request, "shop/product.html", {"product": PRODUCT, "price": PRICE, "currency": CURRENCY})


@require_POST
def buy(request):
    return redirect("order", Order.objects.create(price=PRICE, currency=CURRENCY).number)


@require_GET
def order(request, out_trade_no):
    """Also where the buyer comes back to. That he is back proves nothing."""
    found = get_object_or_404(Order, number=out_trade_no)
    return render(request, "shop/order.html", {"order": found, "product": PRODUCT})


@require_POST
@transaction.atomic
def pay(request, out_trade_no):
    """From here on the order is watched: whatever becomes of the notification, Alipay is asked."""
    found = get_object_or_404(Order.objects.select_for_update(), number=out_trade_no)
    if found.state not in (NEW, CHECKING):
        return redirect("order", out_trade_no)
    request_to_alipay = payment(AlipayOrder(found.number, total_fee=found.price, currency=found.currency),
                                subject=PRODUCT, timeout="30m")
    found.state = CHECKING
    found.save()
    return redirect(request_to_alipay.url)
