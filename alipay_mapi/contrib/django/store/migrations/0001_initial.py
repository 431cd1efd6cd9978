"""The four tables. The same from Django 1.11 on, and what each database needs beside."""
import django.db.models.deletion
from django.db import migrations, models

from alipay_mapi.contrib.django.store.operations import ForVendor

# Numbers, keys and names are compared by code point: MySQL's default collations fold "A1" and "a1" into one order.
_BINARY = ["ALTER TABLE alipay_mapi_{} ENGINE=InnoDB, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin".format(name)
           for name in ("orders", "effects", "moments", "evidence")]
# The rows with an error, by their moment; in MySQL, which has no partial indexes, by whether there is one.
_ERRORS = ["CREATE INDEX alipay_mapi_{0}_error ON alipay_mapi_{0} ({1}) WHERE last_error > ''".format(name, moment)
           for name, moment in (("orders", "asked_at"), ("effects", "given_at"))]
_MYSQL_ERRORS = ["CREATE INDEX alipay_mapi_{0}_error ON alipay_mapi_{0} (last_error(1))".format(name)
                 for name in ("orders", "effects")]


class Migration(migrations.Migration):

    initial = True

    operations = [
        migrations.CreateModel(
            name="Trade",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("shop", models.CharField(max_length=40)),
                ("out_trade_no", models.CharField(max_length=64)),
                ("price", models.CharField(max_length=60)),
                ("facts", models.TextField(blank=True)),
                ("refunds", models.TextField(blank=True)),
                ("outcome", models.CharField(default="open", max_length=20)),
                ("watched_at", models.FloatField()),
                ("deadline", models.FloatField()),
                ("due_at", models.FloatField(blank=True, null=True)),
                ("asked_at", models.FloatField()),
                ("attempts", models.IntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=400)),
                ("lease", models.CharField(blank=True, max_length=80)),
                ("lease_until", models.FloatField(default=0.0)),
            ],
            options={"verbose_name": "trade", "verbose_name_plural": "trades", "db_table": "alipay_mapi_orders",
                     "unique_together": {("shop", "out_trade_no")}},
        ),
        migrations.AddIndex("Trade", models.Index(fields=["due_at", "id"], name="alipay_mapi_orders_due")),
        migrations.AddIndex("Trade", models.Index(fields=["outcome", "id"], name="alipay_mapi_orders_outcome")),
        migrations.CreateModel(
            name="Refund",
            fields=[],
            options={"verbose_name": "refund", "verbose_name_plural": "refunds", "proxy": True, "indexes": []},
            bases=("alipay_mapi_store.trade",),
        ),
        migrations.CreateModel(
            name="Effect",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("trade", models.ForeignKey(db_column="order_id", db_index=False,
                                            on_delete=django.db.models.deletion.CASCADE, related_name="effects",
                                            to="alipay_mapi_store.Trade")),
                ("effect_key", models.CharField(max_length=190)),
                ("kind", models.CharField(max_length=20)),
                ("detail", models.TextField(blank=True)),
                ("made_at", models.FloatField()),
                ("given_at", models.FloatField()),
                ("due_at", models.FloatField(blank=True, null=True)),
                ("done_at", models.FloatField(blank=True, null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("lease", models.CharField(blank=True, max_length=80)),
                ("last_error", models.CharField(blank=True, max_length=400)),
            ],
            options={"verbose_name": "effect", "verbose_name_plural": "effects", "db_table": "alipay_mapi_effects",
                     "unique_together": {("trade", "effect_key")}},
        ),
        migrations.AddIndex("Effect", models.Index(fields=["due_at", "id"], name="alipay_mapi_effects_due")),
        migrations.CreateModel(
            name="Moment",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("moment", models.FloatField()),
            ],
            options={"verbose_name": "moment", "verbose_name_plural": "moments", "db_table": "alipay_mapi_moments"},
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("received_at", models.FloatField()),
                ("shop", models.CharField(max_length=40)),
                ("verdict", models.CharField(max_length=60)),
                ("out_trade_no", models.CharField(blank=True, max_length=64)),
                ("notify_id", models.CharField(blank=True, max_length=64)),
                ("trade_no", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("body", models.BinaryField(blank=True)),
                ("slot", models.IntegerField(blank=True, null=True, unique=True)),
            ],
            options={"verbose_name": "received message", "verbose_name_plural": "received messages",
                     "db_table": "alipay_mapi_evidence"},
        ),
        migrations.AddIndex("Evidence", models.Index(fields=["shop", "out_trade_no"],
                                                     name="alipay_mapi_evidence_number")),
        ForVendor({"mysql": _BINARY + _MYSQL_ERRORS, "postgresql": _ERRORS, "sqlite": _ERRORS}),
    ]
