"""The tables of the Django store, with the columns and meanings of the other stores', and that of received messages.

``DjangoStore`` alone writes the first three; whoever reads them here sees times in UTC seconds by the database's clock,
and prices and facts as text. What each column means: ``Row`` in ``fallback.rows``, and ``sql_schema``. The migration
adds what models cannot say: indexes of the rows with an error or with refunds, and on MySQL a collation that folds
nothing. A row that is made without a ``gateway``, by an older version, is MAPI's.
"""
from django.db import models

_OPEN, _MAPI = "open", "mapi"


class Trade(models.Model):
    """A watched order."""

    id = models.BigAutoField(primary_key=True)
    shop = models.CharField(max_length=40)
    out_trade_no = models.CharField(max_length=64)
    price = models.CharField(max_length=60)
    facts = models.TextField(blank=True)
    refunds = models.TextField(blank=True)
    outcome = models.CharField(max_length=20, default=_OPEN)
    watched_at = models.FloatField()
    deadline = models.FloatField()
    due_at = models.FloatField(null=True, blank=True)
    asked_at = models.FloatField()
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=400, blank=True)
    lease = models.CharField(max_length=80, blank=True)
    lease_until = models.FloatField(default=0.0)
    gateway = models.CharField(max_length=10, default=_MAPI)

    class Meta:
        db_table = "alipay_mapi_orders"
        verbose_name = "trade"
        verbose_name_plural = "trades"
        unique_together = (("shop", "out_trade_no"),)
        indexes = [
            models.Index(fields=["due_at", "id"], name="alipay_mapi_orders_due"),
            # Counts, reports and what was given up, without a look at every row.
            models.Index(fields=["outcome", "id"], name="alipay_mapi_orders_outcome"),
        ]

    def __str__(self) -> str:
        return "{}:{}".format(self.shop, self.out_trade_no)


class WithRefunds(models.Manager):
    """Trades of which a refund was asked for."""

    def get_queryset(self):
        return super().get_queryset().exclude(refunds="")


class Refund(Trade):
    """A trade that somebody wants money back from, for the admin's list."""

    objects = WithRefunds()

    class Meta:
        proxy = True
        verbose_name = "refund"
        verbose_name_plural = "refunds"


class Effect(models.Model):
    """Something that the shop is to do about a trade. Not yet done is: ``due_at`` has a value."""

    id = models.BigAutoField(primary_key=True)
    # Its index is the unique one of the key, which names the order: so the key is unique in the store.
    trade = models.ForeignKey(Trade, models.CASCADE, db_column="order_id", db_index=False, related_name="effects")
    effect_key = models.CharField(max_length=190)
    kind = models.CharField(max_length=20)
    detail = models.TextField(blank=True)
    made_at = models.FloatField()
    given_at = models.FloatField()
    due_at = models.FloatField(null=True, blank=True)
    done_at = models.FloatField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    lease = models.CharField(max_length=80, blank=True)
    last_error = models.CharField(max_length=400, blank=True)

    class Meta:
        db_table = "alipay_mapi_effects"
        verbose_name = "effect"
        verbose_name_plural = "effects"
        unique_together = (("trade", "effect_key"),)
        indexes = [models.Index(fields=["due_at", "id"], name="alipay_mapi_effects_due")]

    def __str__(self) -> str:
        return self.effect_key


class Moment(models.Model):
    """The clock as it was last seen, and how far each shared rate is taken."""

    name = models.CharField(max_length=60, primary_key=True)
    moment = models.FloatField()

    class Meta:
        db_table = "alipay_mapi_moments"
        verbose_name = "moment"
        verbose_name_plural = "moments"

    def __str__(self) -> str:
        return self.name


class Evidence(models.Model):
    """A message that was received, as it came. ``verdict``: ``accepted``, or the class of the error. ``digest``: the
    SHA-256, in hex, of what was signed, or of the body of a refused one. ``slot``: the place of a refused message among
    a fixed number, so that a flood of them cannot fill the table; None for what was accepted."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.FloatField()
    shop = models.CharField(max_length=40)
    verdict = models.CharField(max_length=60)
    out_trade_no = models.CharField(max_length=64, blank=True)
    notify_id = models.CharField(max_length=64, blank=True)
    trade_no = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    body = models.BinaryField(blank=True)
    slot = models.IntegerField(null=True, blank=True, unique=True)

    class Meta:
        db_table = "alipay_mapi_evidence"
        verbose_name = "received message"
        verbose_name_plural = "received messages"
        indexes = [models.Index(fields=["shop", "out_trade_no"], name="alipay_mapi_evidence_number")]

    def __str__(self) -> str:
        return "{} {}:{}".format(self.id, self.shop, self.out_trade_no)
