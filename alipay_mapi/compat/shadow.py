"""Old and new side by side: the shop gets the old library's result, and the log what the new one would do differently.

For production, before a shop moves: the new one never changes what the shop gets, never raises into it, never sends a
second request that moves anything. Log lines name fields; keys, signs and buyers' data are masked.
"""
import logging
import threading
from collections import Counter
from typing import Any, Callable, Dict, List, Optional, Tuple

from ..client import place_of
from ..errors import AlipayError, show
from . import comparing, decoded
from .comparing import Difference
from .warned import listening

_LOG = logging.getLogger("alipay_mapi.compat.shadow")

#: Calls that make an address or a value and send nothing: both are made.
_MADE = frozenset("""
create_direct_pay_by_user_url create_partner_trade_by_buyer_url trade_create_by_buyer_url create_forex_trade_url
create_forex_trade_wap_url create_batch_trans_notify_url refund_fastpay_by_platform_pwd send_goods_confirm_by_platform
add_alipay_qrcode_url create_direct_pay_token_url create_direct_pay_by_user create_partner_trade_by_buyer
_build_sign _alipay_compute_signature _get_alipay_urls _alipay_get_api_url alipay_get_form_action_url
""".split())
#: Calls that send something: the old one is made, and of the new one the request alone, by this name.
_SENT = {"add_alipay_qrcode": "add_alipay_qrcode_url"}
#: Questions to the gateway; and checks of a notification, which end in one.
_READ = frozenset(["single_trade_query"])
_CHECKED = frozenset(["verify_notify", "notify_verify"])
_QUERIED = ["service", "partner", "_input_charset", "sign", "sign_type", "trade_no", "out_trade_no"]


class Shadow:
    """``old``: the object or module that the shop has; ``new``: its counterpart of ``compat``.

    ``reads``: let the new one ask the gateway too, for ``single_trade_query`` and for notifications; without it only
    its request is compared, and of a notification the checks before anybody is asked. ``log``: a logger in place of
    ``alipay_mapi.compat.shadow``. Safe to share between threads as far as ``old`` is.

    ``counts``: a Counter of "calls", "differing" and "failed" calls, those "not compared", and of each (call, field)
    that differed.
    """

    def __init__(self, old: Any, new: Any, reads: bool = False, log: Optional[logging.Logger] = None):
        self._old, self._new, self._reads, self._log = old, new, reads, log or _LOG
        self._counts: "Counter[Any]" = Counter()
        self._lock = threading.Lock()

    def call(*this: Any, **kw: Any) -> Any:
        """``call(name, …)``: the old one's result, or what it raises. The new one runs after it, and is compared."""
        self, name, *args = this    # a field that somebody sends may be called name, or self
        error = result = None
        try:
            result = getattr(self._old, name)(*args, **kw)
        except Exception as err:
            error = err
        self._compare(name, args, kw, result, error)
        if error is not None:
            raise error
        return result

    @property
    def counts(self) -> "Counter[Any]":
        """A copy of what was counted so far."""
        with self._lock:
            return Counter(self._counts)

    def _compare(self, name, args, kw, result, error):
        """Nothing that goes wrong in here concerns the shop."""
        heard: List[str] = []
        try:
            with listening() as heard:
                found = self._differences(name, args, kw, result, error)
            self._tell(name, found, heard)
        except Exception as err:
            # The text of a foreign error may hold values; its class and place do not.
            self._count("calls", "failed", (name, "(failed)"))
            self._say("%s: the comparison failed: %s at %s", show(name), type(err).__name__, place_of(err))

    def _differences(self, name, args, kw, result, error) -> Optional[List[Difference]]:
        if name == "create_direct_pay_by_user_url" and hasattr(self._new, "create_direct_pay_token_url"):
            return self._wap(args, kw, result, error)
        if name in _MADE:
            return _both((result, error), _run(getattr(self._new, name), args, kw), _of_made)
        if name in _SENT:
            made = [_run(getattr(side, _SENT[name]), args, kw) for side in (self._old, self._new)]
            return _both(made[0], made[1], _of_made)
        if name in _READ:
            return self._question(name, args, kw, result, error)
        if name in _CHECKED:
            return self._check(name, args, kw, result, error)
        return None

    def _wap(self, args, kw, result, error):
        """With a token nothing is sent; without one the old library fetches it, and the new one must not."""
        if "token" in kw:
            new = _run(self._new.create_direct_pay_by_user_url, args, kw)
            return _both((result, error), new, _of_made)
        made = [_run(side.create_direct_pay_token_url, args, kw) for side in (self._old, self._new)]
        return _both(made[0], made[1], _of_made)

    def _question(self, name, args, kw, result, error):
        if self._reads:
            return _both((result, error), _run(getattr(self._new, name), args, kw), comparing.of_xml)
        if not hasattr(self._old, "_build_url"):
            return None
        made = [_run(side._build_url, (name, _QUERIED), kw) for side in (self._old, self._new)]
        return _both(made[0], made[1], _of_made)

    def _check(self, name, args, kw, result, error):
        if self._reads:
            return _both((result, error), _run(getattr(self._new, name), args, kw), comparing.of_values)
        fields = dict(kw) if kw else args[0]
        problem = self._new._problem(self._new._client().shop, fields) if name == "notify_verify" \
            else self._new._problem(fields)
        if problem is not None and result:
            return [Difference("(verdict)", "accepted", "refused as " + type(problem).__name__)]
        if problem is None and error is None and not result and not decoded.is_return(fields):
            # The gateway may have said no to the old one: that is not known here.
            return [Difference("(verdict)", "refused", "accepted, as far as it can be checked without the gateway")]
        return []

    # --- telling --------------------------------------------------------------------------------------------------

    def _tell(self, name, found, heard):
        if found is None:
            self._count("calls", "not compared")
            return
        self._count("calls", *(["differing"] if found else []))
        for difference in found:
            self._count((name, difference.field))
            self._say("%s: %s: old %s, new %s", show(name), difference.field, difference.old, difference.new)
        for text in heard if found else ():
            self._say("%s", text)

    def _count(self, *what):
        with self._lock:
            self._counts.update(what)

    def _say(self, text, *values):
        try:
            self._log.warning(text, *values)
        except Exception:
            self._count("failed")


Outcome = Tuple[Any, Optional[BaseException]]


def _run(function: Callable, args, kw) -> Outcome:
    try:
        return function(*args, **kw), None
    except Exception as err:
        return None, err


def _both(old: Outcome, new: Outcome, compare: Callable[[Any, Any], List[Difference]]) -> List[Difference]:
    if old[1] is None and new[1] is None:
        return compare(old[0], new[0])
    names: Dict[int, str] = {}
    for side, (_, error) in enumerate((old, new)):
        names[side] = "no error" if error is None else type(error).__name__ + _about(error)
    # Both refuse: under which name is the callers' matter, and they catch the same names.
    if old[1] is not None and new[1] is not None and type(old[1]).__name__ == type(new[1]).__name__:
        return []
    return [Difference("(raises)", names[0], names[1])]


def _about(error):
    """The parameter that an error of ours is about. Its text, and any other error's, stays out of the log."""
    parameter = getattr(error, "parameter", None) if isinstance(error, AlipayError) else None
    return " ({})".format(show(parameter, 32)) if parameter else ""


def _of_made(old, new):
    if isinstance(old, str) and isinstance(new, str) and "?" in old and "?" in new:
        return comparing.of_urls(old, new)
    if isinstance(old, dict):       # Odoo 8 to 10 had a mapping of addresses
        old = old.get("alipay_form_url")
    return comparing.of_values(old, new)
