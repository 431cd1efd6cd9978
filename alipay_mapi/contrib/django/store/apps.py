"""The app's name, and the label that its tables, migrations and permissions go by."""
from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "alipay_mapi.contrib.django.store"
    label = "alipay_mapi_store"
    verbose_name = "Alipay"
    default_auto_field = "django.db.models.AutoField"
