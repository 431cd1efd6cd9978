"""``url`` and ``order-string``: sign a request. What they print is the signed thing: treat it as a secret."""
from typing import Any, Dict, Tuple

from .. import services
from ..errors import InvalidRequest, show
from ..merchant import Merchant
from ..request import build_order_string, build_request
from . import exits, options, settings
from .output import Output
from .words import meant

MOBILE = "mobile.securitypay.pay"
_COMMON = ("service", "partner", "_input_charset", "sign", "sign_type")


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    url = commands.add_parser("url", parents=parents, help="sign a request and print its URL", examples=(
        "alipay-mapi url create_forex_trade out_trade_no=A1 subject=Tea currency=USD total_fee=12.30 --config shop.ini",
        "alipay-mapi url single_trade_query out_trade_no=A1 --presign --config shop.ini"))
    url.add_argument("service", metavar="SERVICE", help="such as create_forex_trade; with --raw any")
    url.add_argument("pairs", metavar="key=value", nargs="*", help="parameters, raw and unencoded")
    _add_raw(url)
    kind = url.add_mutually_exclusive_group()
    kind.add_argument("--form", action="store_true", help="print an HTML form that posts itself")
    kind.add_argument("--presign", action="store_true", help="print the text that is signed, without the sign")
    url.set_defaults(run=run_url, parser=url)
    order = commands.add_parser("order-string", parents=parents, help="sign an order for the app SDK", examples=(
        "alipay-mapi order-string out_trade_no=A1 subject=Tea currency=USD total_fee=12.30 --config shop.ini",))
    order.add_argument("pairs", metavar="key=value", nargs="*", help="parameters of mobile.securitypay.pay")
    _add_raw(order)
    order.set_defaults(run=run_order_string, parser=order)


def _add_raw(parser):
    parser.add_argument("--extra", metavar="name=value", action="append", default=[],
                        help="a parameter that the service's page does not list, sent on purpose; once for each")
    parser.add_argument("--raw", action="store_true",
                        help="sign exactly what is given, without the service's own rules and defaults")


def run_url(args: Any, out: Output) -> int:
    service = services.canonical_name(args.service)
    given, extra = _given(args, service)
    shop = settings.make_merchant(settings.load(args))
    request = build_request(shop, service, given if args.raw else params_for(shop, service, given, extra))
    out.data(service=request.service)
    name, text = ("form", request.form()) if args.form else ("presign", request.presign) if args.presign \
        else ("url", request.url)
    out.data(**{name: text})
    out.line(text)
    return exits.DONE


def run_order_string(args: Any, out: Output) -> int:
    given, extra = _given(args, MOBILE)
    shop = settings.make_merchant(settings.load(args))
    text = build_order_string(shop, given if args.raw else params_for(shop, MOBILE, given, extra))
    out.data(service=MOBILE, order_string=text)
    out.line(text)
    return exits.DONE


def _given(args, service) -> Tuple[Dict[str, str], Dict[str, str]]:
    """The parameters and the extra ones. Without ``--raw`` a name that the service's page does not list is refused:
    it is more often a misspelling than meant, and a misspelt parameter is signed and then not heeded."""
    given, extra = options.pairs(args.pairs), options.pairs(args.extra, "--extra")
    if args.raw:
        if extra:
            raise InvalidRequest("--extra: with --raw everything is signed as it is; give it without --extra",
                                 parameter="--extra")
        return given, extra
    row = services.lookup(service)
    if row is None:
        raise InvalidRequest("{}: not a service that this library knows{}; --raw signs it as it is".format(
            show(service), meant(service, services.SERVICES)), parameter="service")
    for name in list(given) + list(extra):
        if name in _COMMON:
            raise InvalidRequest("{}: comes from the merchant; leave it out".format(name), parameter=name)
    for name in given:
        if name not in row.names:
            raise InvalidRequest("{0}: not a parameter of {1}{2}; if it is what you want to send, give it as "
                                 "--extra {0}=…, or sign everything as it is with --raw".format(
                                     show(name), service, meant(name, row.names)), parameter=show(name))
    for name in extra:
        if name in row.names:
            raise InvalidRequest("{}: a parameter of {}; give it without --extra".format(name, service),
                                 parameter=name)
    return given, extra


def params_for(shop: Merchant, service: str, given: Dict[str, str], extra: Dict[str, str]) -> Dict[str, str]:
    """``given`` through the service's builder; ``extra``: names that its page does not list.

    Sorted by name, so that the URL is the same on every Python. A required ``seller_id`` is the merchant's. Raises
    InvalidRequest.
    """
    row = services.SERVICES[service]
    arguments: Dict[str, Any] = {}
    for name, value in given.items():
        if name not in row.fixed:
            arguments[name] = value
        elif row.fixed[name] != value:
            raise InvalidRequest("{}: is always {} here; leave it out".format(name, row.fixed[name]), parameter=name)
    if "seller_id" in row.required:
        arguments.setdefault("seller_id", shop.seller_id)
    params = services.BUILDERS[service](extra=extra or None, **arguments)
    return {name: params[name] for name in sorted(params)}
