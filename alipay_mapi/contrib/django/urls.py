"""URLs for ``include("alipay_mapi.contrib.django.urls")``: what Alipay calls, and where the buyer comes back."""
import django

from .views import NotifyView, ReturnView

if django.VERSION < (2, 0):
    from django.conf.urls import url as _path
else:
    from django.urls import re_path as _path

_MERCHANT = r"(?P<merchant>[A-Za-z0-9_.-]{1,40})"

app_name = "alipay_mapi"
urlpatterns = [
    _path(r"^notify/$", NotifyView.as_view(), name="notify"),
    _path(r"^notify/" + _MERCHANT + "/$", NotifyView.as_view(), name="notify"),
    _path(r"^return/$", ReturnView.as_view(), name="return"),
    _path(r"^return/" + _MERCHANT + "/$", ReturnView.as_view(), name="return"),
    # Without the slash too, and without a name: Alipay follows no redirect to the other one.
    _path(r"^notify(?:/" + _MERCHANT + ")?$", NotifyView.as_view()),
    _path(r"^return(?:/" + _MERCHANT + ")?$", ReturnView.as_view()),
]
