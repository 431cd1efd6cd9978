"""Every order has the gateway that it lives on; those that are there live on MAPI."""
from django.db import migrations, models

from alipay_mapi.contrib.django.store.operations import AddColumn, ForVendor

_ADD = "ALTER TABLE alipay_mapi_orders ADD COLUMN gateway varchar(10) DEFAULT 'mapi' NOT NULL"
_REFUNDS = "CREATE INDEX alipay_mapi_orders_refunds ON alipay_mapi_orders (shop) WHERE refunds <> ''"
_DROP = "DROP INDEX alipay_mapi_orders_refunds"
# The way back copies the table on an SQLite before 3.35, without this index of 0001's.
_ERRORS = "CREATE INDEX IF NOT EXISTS alipay_mapi_orders_error ON alipay_mapi_orders (asked_at) WHERE last_error > ''"


class Migration(migrations.Migration):

    dependencies = [("alipay_mapi_store", "0001_initial")]

    operations = [
        ForVendor({}, {"sqlite": [_ERRORS]}),
        # MySQL takes back nothing of a migration that was broken off: so there it is one statement.
        AddColumn("trade", "gateway", models.CharField(default="mapi", max_length=10), {
            "mysql": [_ADD + ", ADD INDEX alipay_mapi_orders_refunds (shop, refunds(1))"],
            "postgresql": [_ADD, _REFUNDS], "sqlite": [_ADD, _REFUNDS]}),
        ForVendor({}, {"mysql": [_DROP + " ON alipay_mapi_orders"], "postgresql": [_DROP], "sqlite": [_DROP]}),
    ]
