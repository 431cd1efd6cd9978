"""The admin: trades, refunds, effects and received messages, to look at. One action asks the gateway now.

Nothing of a buyer is shown whole, and no sign at all.
"""
import json
import re
import time
from typing import Any, List, Tuple

from django.contrib import admin, messages
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from ....errors import AlipayError, show
from ....fallback.deciding import FINAL, OPEN, describe
from ....fallback.refunding import from_text
from ..asking_now import ask_now
from ..process import configured
from .models import Effect, Evidence, Refund, Trade
from .read_only import ReadOnlyAdmin, moment
from .shown_fields import shown_fields

#: So many orders are asked about by one click, and so many seconds are spent on them: a browser is waiting.
MOST, PATIENCE = 20, 20.0
_PARTS = re.compile(r"\S{1,12}|\s+")


class _Chosen(admin.SimpleListFilter):
    """A filter by a column, which does not read the whole table to find out what there is."""

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(**{self.parameter_name: self.value()})


class ByOutcome(_Chosen):
    title, parameter_name = "outcome", "outcome"

    def lookups(self, request: Any, model_admin: Any) -> List[Tuple[str, str]]:
        return [(name, name.replace("_", " ")) for name in (OPEN,) + FINAL]


class ByShop(_Chosen):
    title, parameter_name = "shop", "shop"

    def lookups(self, request: Any, model_admin: Any) -> List[Tuple[str, str]]:
        try:
            return [(name, name) for name in configured().names]
        except AlipayError:
            return []


class ByVerdict(admin.SimpleListFilter):
    title, parameter_name = "verdict", "verdict"

    def lookups(self, request: Any, model_admin: Any) -> List[Tuple[str, str]]:
        return [("accepted", "accepted"), ("refused", "refused")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(slot__isnull=self.value() == "accepted")


class ByDone(admin.SimpleListFilter):
    title, parameter_name = "carried out", "done"

    def lookups(self, request: Any, model_admin: Any) -> List[Tuple[str, str]]:
        return [("yes", "yes"), ("no", "no")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(due_at__isnull=self.value() == "yes")


def _column(text: str) -> Any:
    def named(method):
        method.short_description = text
        return method
    return named


class _Trades(ReadOnlyAdmin):
    @_column("price")
    def priced(self, row: Any) -> str:
        total, rmb, currency = (row.price.split("|") + ["", "", ""])[:3]
        return "{} {}".format(total or rmb, currency if not rmb else "CNY" + " ({})".format(currency) * bool(currency))

    @_column("watched")
    def watched(self, row: Any) -> str:
        return moment(row.watched_at)

    @_column("asked next")
    def due(self, row: Any) -> str:
        return moment(row.due_at)

    @_column("can be paid until")
    def until(self, row: Any) -> str:
        return moment(row.deadline)

    @_column("what is known")
    def known(self, row: Any) -> str:
        return _pretty(row.facts)

    @_column("refunds")
    def refund_list(self, row: Any) -> str:
        try:
            wished = from_text(row.refunds)
        except AlipayError as err:
            return str(err)
        rows = [(show(one.out_return_no), show(one.amount), show(one.status), show(one.error, 200)) for one in wished]
        return format_html_join("", "<div>{}: {} ({}) {}</div>", rows) or "-"

    @_column("effects")
    def effect_list(self, row: Any) -> str:
        return format_html_join("", "<div>{} {}: {}</div>", [(
            one.kind, show(one.detail, 200), "carried out " + moment(one.done_at) if one.due_at is None else
            "to do, {} attempts {}".format(one.attempts, one.last_error)) for one in row.effects.order_by("id")]) or "-"


@admin.register(Trade)
class TradeAdmin(_Trades):
    list_display = ("out_trade_no", "shop", "gateway", "outcome", "priced", "watched", "due", "last_error")
    list_filter = (ByOutcome, ByShop)
    fields = ("out_trade_no", "shop", "gateway", "outcome", "priced", "watched", "until", "due", "attempts",
              "last_error", "effect_list", "refund_list", "known")
    actions = ["ask_the_gateway_now"]

    def has_ask_permission(self, request: Any) -> bool:
        """Whoever may change a trade; nobody changes one here."""
        return request.user.has_perm("alipay_mapi_store.change_trade")

    @_column("Ask the gateway now")
    def ask_the_gateway_now(self, request: Any, queryset: Any) -> None:
        rows = list(queryset[:MOST + 1])
        if len(rows) > MOST:
            said = "Choose {} trades at most; runs of the fallback ask about the rest.".format(MOST)
            self.message_user(request, said, messages.ERROR)
            return
        until = time.monotonic() + PATIENCE
        for at, row in enumerate(rows):
            if time.monotonic() > until:
                self.message_user(request, "{} were not asked about: the gateway is slow.".format(len(rows) - at),
                                  messages.WARNING)
                return
            said, level = _asked(row)
            self.log_change(request, row, "Asked the gateway: " + said)
            self.message_user(request, "{}: {}".format(row.out_trade_no, said), level)

    ask_the_gateway_now.allowed_permissions = ("ask",)


def _asked(row):
    try:
        decision = ask_now(row.shop, row.out_trade_no)
    except AlipayError as err:
        return "no answer that settles it; {}".format(describe(err)), messages.WARNING
    return decision.outcome.replace("_", " "), messages.SUCCESS


@admin.register(Refund)
class RefundAdmin(_Trades):
    list_display = ("out_trade_no", "shop", "gateway", "refund_list", "outcome", "due")
    list_filter = (ByShop,)
    fields = ("out_trade_no", "shop", "gateway", "refund_list", "outcome", "priced", "due", "last_error",
              "effect_list")


@admin.register(Effect)
class EffectAdmin(ReadOnlyAdmin):
    found_by = ("trade__out_trade_no",)
    search_fields = ("trade__out_trade_no",)
    list_display = ("number", "shop", "kind", "detail", "made", "done", "attempts", "last_error")
    list_filter = (ByDone,)
    list_select_related = ("trade",)
    fields = ("number", "shop", "kind", "detail", "made", "done", "attempts", "last_error", "effect_key")

    @_column("out trade no")
    def number(self, row: Any) -> str:
        return row.trade.out_trade_no

    @_column("shop")
    def shop(self, row: Any) -> str:
        return row.trade.shop

    @_column("made")
    def made(self, row: Any) -> str:
        return moment(row.made_at)

    @_column("carried out")
    def done(self, row: Any) -> str:
        return moment(row.done_at)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    found_by = ("out_trade_no", "trade_no", "notify_id")
    search_help_text = "The order's, the trade's or the notification's whole number."
    list_display = ("id", "received", "shop", "verdict", "out_trade_no", "trade_no")
    list_filter = (ByVerdict, ByShop)
    fields = ("received", "shop", "verdict", "out_trade_no", "trade_no", "id_of_the_notification", "digest_of_it",
              "content")

    @_column("received")
    def received(self, row: Any) -> str:
        return moment(row.received_at)

    @_column("notify id")
    def id_of_the_notification(self, row: Any) -> str:
        return breakable(row.notify_id) or "-"

    @_column("digest")
    def digest_of_it(self, row: Any) -> str:
        return breakable(row.digest)

    @_column("message")
    def content(self, row: Any) -> str:
        rows = [(breakable(name), breakable(value)) for name, value in shown_fields(bytes(row.body))]
        return format_html("<table>{}</table>", format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows))

    def get_queryset(self, request: Any) -> Any:
        """A list of fifty does not read their bodies."""
        return super().get_queryset(request).defer("body")


def breakable(text: str) -> str:
    """Text whose long words break on a narrow page. What is copied from it is the text alone."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in _PARTS.findall(text)))


def _pretty(text):
    try:
        facts = json.loads(text or "{}")
    except ValueError:
        return show(text, 2000)
    return format_html_join("", "<div>{}: {}</div>", (
        (name.replace("_", " "), show(json.dumps(value), 1000)) for name, value in sorted(facts.items()))) or "-"
