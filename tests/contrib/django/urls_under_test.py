"""A shop's URLs: the app's under ``alipay/``, the admin, an order page, and a page that fails."""
import django
from django.contrib import admin
from django.http import HttpResponse

if django.VERSION < (2, 0):
    from django.conf.urls import include, url
else:
    from django.urls import include, re_path as url


def order(request, out_trade_no):
    return HttpResponse("order " + out_trade_no)


urlpatterns = [
    url(r"^alipay/", include("alipay_mapi.contrib.django.urls")),
    url(r"^admin/", admin.site.urls),
    url(r"^orders/(?P<out_trade_no>[^/]+)/$", order, name="order"),
]
