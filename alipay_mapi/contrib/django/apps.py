"""The app's name and label; it has no tables."""
from django.apps import AppConfig


class AlipayMapiConfig(AppConfig):
    name = "alipay_mapi.contrib.django"
    label = "alipay_mapi"
    verbose_name = "Alipay: settings and views"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        from . import checks
        checks.register_all()
