"""``url`` and ``order-string``: sign a request. What they print is the signed thing: treat it as a secret."""
from typing import Any, Dict

from .. import services
from ..errors import InvalidRequest, show
from ..merchant import Merchant
from ..request import build_order_string, build_request
from . import exits, options, settings
from .output import Output

MOBILE = "mobile.securitypay.pay"


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    url = commands.add_parser("url", parents=parents, help="sign a request and print its URL", examples=(
        "alipay-mapi url create_forex_trade out_trade_no=A1 subject=Tea currency=USD total_fee=12.30 --config shop.ini",
        "alipay-mapi url single_trade_query out_trade_no=A1 --presign --config shop.ini"))
    url.add_argument("service", metavar="SERVICE", help="such as create_forex_trade; also one not listed here")
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
    parser.add_argument("--raw", action="store_true",
                        help="sign exactly what is given, without the service's own rules and defaults")


def run_url(args: Any, out: Output) -> int:
    given = options.pairs(args.pairs)
    shop = settings.make_merchant(settings.load(args))
    service = services.canonical_name(args.service)
    request = build_request(shop, service, given if args.raw else params_for(shop, service, given))
    out.data(service=request.service)
    name, text = ("form", request.form()) if args.form else ("presign", request.presign) if args.presign \
        else ("url", request.url)
    out.data(**{name: text})
    out.line(text)
    return exits.DONE


def run_order_string(args: Any, out: Output) -> int:
    given = options.pairs(args.pairs)
    shop = settings.make_merchant(settings.load(args))
    text = build_order_string(shop, given if args.raw else params_for(shop, MOBILE, given))
    out.data(service=MOBILE, order_string=text)
    out.line(text)
    return exits.DONE


def params_for(shop: Merchant, service: str, given: Dict[str, str]) -> Dict[str, str]:
    """``given`` through the service's builder, if it is a listed one; unlisted names are passed on as ``extra``.

    Sorted by name, so that the URL is the same on every Python. A required ``seller_id`` is the merchant's. Raises
    InvalidRequest.
    """
    row = services.lookup(service)
    if row is None:
        return given
    arguments: Dict[str, Any] = {}
    extra = {}
    for name, value in given.items():
        if name in row.required or name in row.optional:
            arguments[name] = value
        elif row.fixed.get(name) != value:
            extra[name] = value
    if "seller_id" in row.required:
        arguments.setdefault("seller_id", shop.seller_id)
    for name in ("partner", "service", "sign_type", "_input_charset"):
        if name in extra:
            raise InvalidRequest("{}: comes from the merchant; leave it out".format(show(name)), parameter=name)
    params = services.BUILDERS[service](extra=extra or None, **arguments)
    return {name: params[name] for name in sorted(params)}
