from django.contrib import admin

from . import views

try:
    from django.urls import include, re_path
except ImportError:     # Django 1.11
    from django.conf.urls import include, url as re_path

ORDER = r"^orders/(?P<out_trade_no>[0-9A-Za-z]+)/"

urlpatterns = [
    re_path(r"^$", views.product, name="product"),
    re_path(r"^orders/$", views.buy, name="buy"),
    re_path(ORDER + "$", views.order, name="order"),
    re_path(ORDER + "pay/$", views.pay, name="pay"),
    re_path(r"^alipay/", include("alipay_mapi.contrib.django.urls")),
    re_path(r"^admin/", admin.site.urls),
]
