"""A translation in the making: parameters are taken out one by one, and what nobody took is refused."""
import re
from collections.abc import Mapping
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from ...errors import InvalidMessage, InvalidRequest, show
from .. import json_text
from ..ams import amounts
from .context import AMS, Context
from .result import Moved, Note, Refusal, Step, Translation

#: Who we are and how MAPI's request is signed: every gateway has its own, see its account.
_OWN = ("service", "partner", "sign", "sign_type", "_input_charset", "timestamp", "terminal_timestamp")
#: Money of others in it: dropping these silently would keep it.
_SPLIT = ("split_fund_info", "royalty_type", "royalty_parameters")
_CARD_NAME = re.compile(r"card|cvv|cvc", re.IGNORECASE)
_CARD_TEXT = re.compile(r"(?<![0-9])[2-6][0-9](?:[ -]?[0-9]){11,17}(?![0-9])", re.ASCII)
_FREE_TEXT = ("subject", "body", "reason", "refund_reason", "refund_reson", "memo", "trans_name")
_HALF = re.compile("[\ud800-\udfff]")


class Draft:
    """``take`` gives a parameter's text and marks it as read; ``refuse`` and ``note`` collect.

    ``to``: where the text goes in the content, as ``order.goods.0.goodsName``; see :meth:`goes`."""

    def __init__(self, service: str, params: Mapping, target: str, context: Context):
        self.service, self.target, self.context = service, target, context
        self.notes: List[Note] = []
        self.refusals: List[Refusal] = []
        self._goes: List[Tuple[str, str]] = []
        self._params: Dict[str, str] = {}
        for name, value in params.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise InvalidRequest("{}: names and values as text, as they go on the wire".format(show(name)),
                                     parameter=show(name))
            if value:       # empty values are never sent
                self._params[name] = value
        self.partner = self._params.get("partner")
        self._given = frozenset(self._params)
        for name in _OWN:
            self._params.pop(name, None)
        self._check_texts()

    def __contains__(self, name):
        return name in self._params

    def take(self, *names: str, to: Union[str, Tuple[str, ...]] = ()) -> Optional[str]:
        """The first of ``names`` that is there, or None. Two of them with different values are a refusal."""
        values = [(name, self._params.pop(name)) for name in names if name in self._params]
        if len({value for _, value in values}) > 1:
            self.refuse(values[1][0], "names another value than {}".format(values[0][0]), "give one of them")
        if values:
            self.goes(values[0][0], *((to,) if isinstance(to, str) else to))
        return values[0][1] if values else None

    def goes(self, parameter: str, *paths: str) -> None:
        """For people: what ``parameter`` says stands at ``paths`` of the content, as it is or in other words. Where the
        content has no such place in the end, or nobody gave the parameter, nothing is told."""
        if parameter.partition(".")[0] in self._given:
            self._goes += [(parameter, path) for path in paths]

    def need(self, *names: str, to: Union[str, Tuple[str, ...]] = ()) -> str:
        """As ``take``; a refusal when none of them is there."""
        value = self.take(*names, to=to)
        if value is None:
            self.refuse(names[0], "absent, and it is needed there", "give it")
        return value or ""

    def put(self, content: Dict[str, Any], member: str, *names: str, longest: Optional[int] = None) -> None:
        """Take a parameter into ``content[member]``, if it is there."""
        value = self.take(*names, to=member)
        if value is None:
            return
        if longest is not None and len(value) > longest:
            self.refuse(names[0], "longer than the {} characters it may have there".format(longest), "shorten it")
        content[member] = value

    def json(self, name: str) -> Any:
        """The parsed JSON object of a parameter, or None when it is absent or (a refusal) none."""
        return self._json(name, "{}")

    def json_list(self, name: str) -> Any:
        """The same for a JSON array of objects: a tuple of mappings."""
        found = self._json(name, '{{"list":{}}}')
        if found is None:
            return None
        items = found["list"] if len(found) == 1 else None
        if not isinstance(items, tuple) or not all(isinstance(item, Mapping) for item in items):
            self.refuse(name, "not a JSON array of objects", "write it as MAPI wants it")
            return None
        return items

    def amount(self, parameter: str, text: str, currency: str, wallet: Optional[str] = None) -> Dict[str, str]:
        """AMS's amount, exactly; an empty one and a refusal otherwise."""
        try:
            return amounts.to_ams(text, currency, parameter, wallet)
        except InvalidRequest as error:
            reason = str(error).partition(": ")[2]
        self.refuse(parameter, reason, "change the order's amount or currency; nothing is rounded or converted")
        return {}

    def refuse(self, parameter: str, reason: str, remedy: str) -> None:
        self.refusals.append(Refusal(self.service, self.target, parameter, reason, remedy))

    def note(self, parameter: str, text: str) -> None:
        self.notes.append(Note(parameter, text))

    def check_home(self, writes: bool) -> None:
        """An order stays for ever with the gateway that made it."""
        home = self.context.home
        if home is None and writes:
            self.refuse("home", "nobody knows on which gateway the order was made", "find out, or ask both with a "
                        "query first; then give Context(home=…)")
        elif home not in (None, self.target):
            self.refuse("home", "the order lives on {}".format(home), "send this call there")

    def check_new(self) -> None:
        """A number that was used elsewhere would become a second order."""
        if self.context.home not in (None, self.target):
            self.refuse("out_trade_no", "this number was used on {}: here it would be a second order".format(
                self.context.home), "use a new number")

    def split(self) -> None:
        """Refuse what shares the money with others."""
        for name in _SPLIT:
            if self.take(name) is not None:
                self.refuse(name, "splitting an order's money " + (
                    "has no equal there" if self.target == AMS else "needs a royalty contract there"),
                    "settle with the others outside of the payment")

    def finish(self, build: Callable[[], List[Step]]) -> Translation:
        """Refuse what is left, and give the translation; ``build`` makes the steps when nothing is refused."""
        for name in sorted(self._params):
            if name in self.context.ignore:
                self.note(name, "dropped, as Context.ignore says")
            else:
                self.refuse(name, "has no place there",
                            "leave it out, or allow it with Context(ignore={{{!r}}})".format(
                    show(name)))
        steps = () if self.refusals else tuple(build())
        return Translation(self.service, self.target, steps, tuple(self.notes), tuple(self.refusals),
                           self._moved(steps))

    def _moved(self, steps):
        if not steps:
            return tuple(Moved(name, path, None) for name, path in dict.fromkeys(self._goes))
        return tuple(Moved(name, path, number) for name, path in dict.fromkeys(self._goes)
                     for number, step in enumerate(steps) if step.at(path) is not None)

    def _json(self, name, form):
        text = self.take(name)
        if text is None:
            return None
        try:
            return json_text.parse(form.format(text).encode("utf-8", "surrogatepass"))
        except InvalidMessage as error:
            problem = type(error).__name__
        self.refuse(name, "not JSON of the form that MAPI wants ({})".format(problem), "write it as MAPI wants it")
        return None

    def _check_texts(self):
        for name, value in list(self._params.items()):
            if _HALF.search(value):
                self.refuse(name, "holds text that UTF-8 cannot express", "decode it from its charset before")
            if _CARD_NAME.search(name) or name in _FREE_TEXT and any(
                    _luhn(found) for found in _CARD_TEXT.findall(value)):
                del self._params[name]
                self.refuse(name, "a card number, or data of a card", "never send it through this")


def _luhn(text):
    digits = [int(char) for char in text if char.isdigit()][::-1]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0
