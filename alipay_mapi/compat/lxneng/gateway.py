"""``Alipay``: the calls of PyPI's ``alipay`` 0.7.4. Its methods make URLs, ask one question and check notifications."""
from datetime import datetime
from decimal import Decimal
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence

from ... import charsets, presign, signing
from ...errors import GatewayError, InvalidMessage, InvalidRequest, show
from ...times import GMT8
from .. import answers, decoded
from ..values import sendable
from ..warned import warn
from . import batches, routed
from .exceptions import MissingParameter, ParameterValueError
from .merchants import Account, as_value_error

#: Services of ours that have no payment_type and no seller: whoever is paid is the partner.
_WITHOUT_SELLER = ("create_forex_trade", "create_forex_trade_wap")
_ESCROW = ("out_trade_no", "subject", "logistics_type", "logistics_fee", "logistics_payment", "price", "quantity")
#: Where Alipay's clock is told by that name.
_ALIPAYS_ZONES = ("Asia/Shanghai", "Asia/Chongqing", "Asia/Hong_Kong", "PRC")
_CHECK = "verify_notify(shop, request.body, …), which takes the raw bytes and compares the order and its amount"


class Alipay(Account):
    """A merchant who signs with MD5, at the mainland gateway. Takes and gives what the published class does.

    ``pid``, ``key``: partner and MD5 key. ``seller_id`` (wins) or ``seller_email``: one is needed. ``transport``: for
    tests, as of ``Client``. ``router``: a ``migration.router.Router``; then payments go where it says, and
    ``single_trade_query`` by ``out_trade_no`` asks the order's own gateway. Raises ParameterValueError without a
    seller, ConfigurationError for a pid or a key that cannot be one. Every method raises MissingParameter or
    ParameterValueError for what cannot be sent.
    """

    def __init__(self, pid: Any, key: Any, seller_email: Optional[str] = None, seller_id: Optional[str] = None, *,
                 transport: Any = None, router: Any = None):
        super().__init__(pid, key, transport)
        self._router = router
        if seller_id is not None:
            self.default_params["seller_id"] = seller_id
        elif seller_email is not None:
            self.default_params["seller_email"] = seller_email
        else:
            raise ParameterValueError("seller_email and seller_id: one of them is needed")
        _ = self._shop

    # --- URLs -----------------------------------------------------------------------------------------------------

    def create_direct_pay_by_user_url(self, **kw: Any) -> str:
        """The URL of a mainland web order: ``total_fee``, or ``price`` and ``quantity``."""
        self._check_params(kw, ("out_trade_no", "subject"))
        if not kw.get("total_fee") and not (kw.get("price") and kw.get("quantity")):
            raise ParameterValueError("total_fee: give it, or price and quantity", parameter="total_fee")
        return self._build_url("create_direct_pay_by_user", **kw)

    def create_partner_trade_by_buyer_url(self, **kw: Any) -> str:
        """The URL of an escrow order."""
        self._check_params(kw, _ESCROW)
        return self._build_url("create_partner_trade_by_buyer", **kw)

    def trade_create_by_buyer_url(self, **kw: Any) -> str:
        """The URL of an order that the buyer may pay with or without escrow."""
        self._check_params(kw, _ESCROW)
        return self._build_url("trade_create_by_buyer", **kw)

    def create_forex_trade_url(self, **kw: Any) -> str:
        """The URL of a cross-border web order."""
        self._check_params(kw, ("out_trade_no", "subject"))
        return self._build_url("create_forex_trade", **kw)

    def create_forex_trade_wap_url(self, **kw: Any) -> str:
        """The URL of a cross-border order in a phone's browser."""
        self._check_params(kw, ("out_trade_no", "subject"))
        return self._build_url("create_forex_trade_wap", **kw)

    def send_goods_confirm_by_platform(self, **kw: Any) -> str:
        """The URL that a server opens once goods are sent."""
        self._check_params(kw, ("trade_no", "logistics_name"))
        return self._build_url("send_goods_confirm_by_platform", **kw)

    def add_alipay_qrcode_url(self, **kw: Any) -> str:
        """The URL that a server opens to make a QR code of goods."""
        return self._build_url("alipay.mobile.qrcode.manage", **self._qrcode(kw))

    def refund_fastpay_by_platform_pwd(self, batch_list: Iterable[Optional[Mapping[str, Any]]] = (),
                                       tzinfo: Any = "Asia/Shanghai", **kw: Any) -> str:
        """The URL of a batch of refunds, which a person confirms with the payment password.

        ``batch_list``: mappings with ``trade_no`` (Alipay's), ``fee`` and ``note``. Needs ``batch_no``: today's date
        and 3 to 24 letters or digits.
        """
        call = "refund_fastpay_by_platform_pwd"
        self._check_params(kw, ("batch_no",))
        instead = _built("refund_fastpay_by_platform_pwd")
        batch = self._batch(batches.refunds, batch_list, call=call, instead=instead)
        _zone(tzinfo, call, instead)
        warn(call, "always raised MissingParameter; it works now", instead)
        kw.update(detail_data=batch.detail_data, batch_num=batch.number, refund_date=_now("%Y-%m-%d %H:%M:%S"))
        kw.setdefault("seller_user_id", self.default_params.get("seller_id"))
        kw = {name: value for name, value in kw.items() if value is not None}
        return self._build_url(call, **kw)

    def create_batch_trans_notify_url(self, batch_list: Iterable[Mapping[str, Any]] = (),
                                      tzinfo: Any = "Asia/Shanghai", **kw: Any) -> str:
        """The URL of a batch of payments to accounts, which a person confirms with the payment password.

        ``batch_list``: mappings with ``account``, ``name``, ``fee`` and ``note``. ``email``: the paying account, if it
        is not the ``seller_email``.
        """
        call, instead = "create_batch_trans_notify_url", _built("batch_trans_notify")
        self._check_params(kw, ("account_name", "batch_no", "notify_url"))
        batch_list = list(batch_list)
        batch = self._batch(batches.transfers, kw["batch_no"], batch_list, call=call, instead=instead)
        _zone(tzinfo, call, instead)
        kw.setdefault("email", self.default_params.get("seller_email"))
        if not kw["email"]:
            raise MissingParameter("email: the account that pays; give it, or make the object with seller_email",
                                   parameter="email")
        _floats(batch_list, batch.total, call, instead)
        kw.update(detail_data=batch.detail_data, batch_num=batch.number, batch_fee=batch.total, pay_date=_now("%Y%m%d"))
        return self._build_url("batch_trans_notify", **kw)

    # --- questions ------------------------------------------------------------------------------------------------

    def single_trade_query(self, **kw: Any) -> str:
        """What became of a trade (``trade_no`` or ``out_trade_no``), as XML text that was checked.

        It holds ``is_success``, and ``error`` or ``response/trade/…``. Raises InvalidMessage and its kinds for an
        answer that cannot be trusted, TransportError for none.
        """
        asked = {name: kw[name] for name in ("trade_no", "out_trade_no") if kw.get(name) not in (None, "")}
        if not asked:
            raise MissingParameter("trade_no, out_trade_no: give one of them", parameter="out_trade_no")
        warn("single_trade_query", "the answer was handed out unchecked, as it came; it is checked, and written anew",
             "Client(shop).single_trade_query(…), which gives a Response")
        if self._router is not None and "trade_no" not in asked:
            return self._answered(lambda: routed.trade_of(self._router, str(asked["out_trade_no"])))
        client = self._client_at(self.GATEWAY_URL)
        return self._answered(lambda: client.single_trade_query(**{name: str(asked[name]) for name in asked}))

    def add_alipay_qrcode(self, **kw: Any) -> answers.Reply:
        """Make a QR code of goods: an answer with ``.text``, XML that was checked. Raises OutcomeUnknown."""
        call, instead = "add_alipay_qrcode", _built("alipay.mobile.qrcode.manage", "Client(shop).call")
        warn(call, "the answer was handed out unchecked, as requests' Response; now it is checked, and a small object "
                   "with .text, .content and .status_code", instead)
        client = self._client_at(self.GATEWAY_URL)
        params = sendable(self._params("alipay.mobile.qrcode.manage", self._qrcode(kw)), call, instead)
        return answers.Reply(self._answered(lambda: client.call(str(params.pop("service")), params)))

    def check_notify_remotely(*this: Any, **kw: Any) -> bool:
        """Did Alipay send the notification with this ``notify_id``? Raises TransportError when nobody answers."""
        self, = this    # no name of a received field may collide with a parameter's
        notify_id = kw.get("notify_id")
        if not notify_id:
            warn("check_notify_remotely", "without a notify_id it raised KeyError; now it is False",
                 "verify_return(shop, query) for the browser's return, and single_trade_query for the truth")
            return False
        try:
            return self._asking.notify_verify(notify_id)
        except InvalidRequest:
            warn("check_notify_remotely", "a notify_id was put into the URL as it came, and could bring its own "
                                          "partner; what cannot be one is not asked about", _CHECK)
        except GatewayError as err:
            warn("check_notify_remotely", "the gateway said not false but {}; look at the pid".format(show(err.code)),
                 "Client(shop).notify_verify, which raises GatewayError")
        return False

    def verify_notify(*this: Any, **kw: Any) -> bool:
        """Is this Alipay's: does the sign fit, is it for this merchant, and does the gateway confirm it?

        ``kw``: the fields, decoded. It says nothing about the order and its amount: compare them.
        """
        self, = this
        problem = self._problem(kw)
        if problem is not None:
            if self._was_taken_before(kw):
                warn("verify_notify", "the sign alone was compared, whatever was signed and under whatever sign_type; "
                                      "this one is refused as {}".format(type(problem).__name__), _CHECK)
            return False
        if any(value == "" for name, value in kw.items()):
            warn("verify_notify", "a genuine message with an empty field was refused; now it is not", _CHECK)
        return self.check_notify_remotely(**{name: value for name, value in self._plain(kw).items()
                                             if name not in presign.UNSIGNED})

    # --- inside; shops call these too -----------------------------------------------------------------------------

    def get_sign_method(self, **kw: Any) -> Callable[[Mapping[str, Any]], str]:
        """The function from params to their sign. Compare signs with ``hmac.compare_digest``, or better not at all."""
        return self._generate_md5_sign

    def _generate_md5_sign(self, params: Mapping[str, Any]) -> str:
        texts = {name: str(value) for name, value in params.items() if value is not None}
        codec = charsets.writing_codec(self._shop.input_charset)
        return signing.sign("MD5", self._shop.md5_key, presign.presign_string(texts).encode(codec))

    def _check_params(self, params: Mapping[str, Any], names: Sequence[str]) -> None:
        missing = [name for name in ((names,) if isinstance(names, str) else names) if params.get(name) in (None, "")]
        if missing:
            raise MissingParameter("{}: needed by this call; give {}".format(
                ", ".join(missing), "it" if len(missing) == 1 else "them"), parameter=missing[0])

    def _build_url(self, service: str, paramnames: Optional[Sequence[str]] = None, **kw: Any) -> str:
        params = self._params(service, kw)
        if paramnames:
            params = {name: params[name] for name in paramnames if name in params}
        if self._router is not None and service in routed.SERVICES:
            return self._routed(params, service)
        return self._signed(params, service, self._instead(service)).url

    def _routed(self, params, service):
        problem = None
        try:
            sent = sendable(params, service, self._instead(service))
            del sent["service"]
            return routed.address_of(self._router, service, sent)
        except InvalidRequest as err:
            problem = err
        raise as_value_error(problem)

    def _instead(self, service: str) -> str:
        return _built(service)

    def _params(self, service: str, given: Mapping[str, Any]) -> Dict[str, Any]:
        params = dict(self.default_params, service=service)
        if service in _WITHOUT_SELLER:
            dropped = [name for name in ("payment_type", "seller_id", "seller_email") if params.pop(name, None)]
            if dropped:
                warn(service, "payment_type and the seller were sent, which this service has not; they are left out",
                     _built(service))
        params.update(given)
        return params

    def _qrcode(self, kw):
        self._check_params(kw, ("biz_data", "biz_type"))
        return dict(kw, method="add", timestamp=_now("%Y-%m-%d %H:%M:%S"))

    def _batch(self, make, *given, **said):
        problem = None
        try:
            return make(*given, **said)
        except (MissingParameter, ParameterValueError):
            raise
        except InvalidRequest as err:
            problem = err
        raise as_value_error(problem)

    def _plain(self, kw: Mapping[str, Any]) -> Dict[str, str]:
        return decoded.plain(kw)

    def _problem(self, kw: Mapping[str, Any]) -> Optional[InvalidMessage]:
        """What is wrong with a message, before anybody is asked about it."""
        problem: InvalidMessage
        try:
            params = self._plain(kw)
        except InvalidMessage as err:
            problem = err
        else:
            return self._local_problem(params)
        return problem

    def _was_taken_before(self, kw: Mapping[str, Any]) -> bool:
        try:
            params = self._plain(kw)
            return decoded.was_taken_before(self._shop, params, self._signed_text(params))
        except InvalidMessage:
            return False

    def _signed_text(self, params: Mapping[str, str]) -> Optional[bytes]:
        """What is signed of a message, where it is not the sorted fields."""
        return None

    def _local_problem(self, params: Mapping[str, str]) -> Optional[InvalidMessage]:
        return decoded.problem_of(self._shop, params)

    def _answered(self, ask) -> str:
        """The text of an answer. Raises what the client raises, but for a refusal, which callers read in the XML."""
        problem = None
        try:
            answer = ask()
            return answer if isinstance(answer, str) else answers.yes(answer, answer.container)
        except GatewayError as err:
            return answers.no(err.code or "")
        except InvalidRequest as err:
            problem = err
        raise as_value_error(problem)


def _built(service: str, how: str = "build_request") -> str:
    name = service.rpartition(".")[2]
    from ... import services
    if service in services.SERVICES:
        return "{0}(shop, {1!r}, services.{2}(…))".format(how, service, name)
    return "{}(shop, {!r}, {{…}})".format(how, service)


def _now(form: str) -> str:
    return datetime.now(GMT8).strftime(form)


def _floats(items, total, call, instead):
    """The old library added up floats: 0.10 and 0.20 were 0.30000000000000004, and the batch was refused."""
    added = 0.0
    for item in items:
        added += float(item["fee"])
    if Decimal(repr(added)) != total:
        warn(call, "batch_fee was a sum of floats, here with digits that no amount has; it is exact now", instead)


def _zone(tzinfo, call, instead):
    if str(tzinfo) not in _ALIPAYS_ZONES:
        warn(call, "the date was written in the time zone of tzinfo; Alipay's clock is GMT+8, and so is the date now",
             instead)
