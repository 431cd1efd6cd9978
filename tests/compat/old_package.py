"""What PyPI's ``alipay`` 0.7.4 has, kept as data, and its rules written down a second time with ``hashlib`` alone."""
import hashlib
from urllib.parse import parse_qsl, quote_plus, urlsplit

from alipay_mapi.errors import TransportError
from alipay_mapi.transport import Answer

PID = "2088101122136241"
#: For tests only.
KEY = "test0only0md5key0test0only0md5k1"
EMAIL = "shop@example.com"

#: Of the package, of ``alipay.exceptions``, and of the two classes: what does not begin with an underscore.
PACKAGE = "Alipay MissingParameter ParameterValueError TokenAuthorizationError WapAlipay encode_dict includeme".split()
EXCEPTIONS = "AlipayException MissingParameter ParameterValueError TokenAuthorizationError".split()
CALLS = """
add_alipay_qrcode add_alipay_qrcode_url check_notify_remotely create_batch_trans_notify_url
create_direct_pay_by_user_url create_forex_trade_url create_forex_trade_wap_url create_partner_trade_by_buyer_url
get_sign_method refund_fastpay_by_platform_pwd send_goods_confirm_by_platform single_trade_query
trade_create_by_buyer_url verify_notify
""".split()
ATTRIBUTES = "GATEWAY_URL NOTIFY_GATEWAY_URL sign_key sign_tuple default_params key pid".split()
OF_WAP = "create_direct_pay_token_url AUTH_ROOT_NODE TOKEN_ROOT_NODE seller_email".split()
NAMES = PACKAGE + EXCEPTIONS + CALLS + ATTRIBUTES + OF_WAP


def params_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def sign_of(params, key=KEY, left_out=("sign", "sign_type")):
    """The gateway's rule: sorted, joined, empty ones and two names left out, the key behind it."""
    text = "&".join("{}={}".format(name, params[name]) for name in sorted(params)
                    if name not in left_out and params[name] != "")
    return hashlib.md5((text + key).encode("utf-8")).hexdigest()


def notification(**more):
    """A mainland notification as a framework hands it over, signed."""
    fields = {
        "buyer_email": "buyer@example.com", "buyer_id": "2088000000000001", "discount": "0.00",
        "gmt_create": "2017-03-05 18:06:49", "gmt_payment": "2017-03-05 18:17:17",
        "notify_id": "39863b44e9bf2e9877a57ef5451a717mhe", "notify_time": "2017-03-05 18:21:11",
        "notify_type": "trade_status_sync", "out_trade_no": "A1", "payment_type": "1", "seller_email": EMAIL,
        "seller_id": PID, "subject": "龙井茶", "total_fee": "8.00", "trade_no": "2017030521001004840200342628",
        "trade_status": "TRADE_SUCCESS"}
    fields.update(more)
    fields = {name: value for name, value in fields.items() if value is not None}
    return dict(fields, sign=sign_of(fields), sign_type="MD5")


def signed_answer(container="trade", **elements):
    inner = "".join("<{0}>{1}</{0}>".format(name, value) for name, value in elements.items())
    return ('<?xml version="1.0" encoding="utf-8"?><alipay><is_success>T</is_success><request><param name="service">'
            'single_trade_query</param></request><response><{0}>{1}</{0}></response><sign>{2}</sign>'
            '<sign_type>MD5</sign_type></alipay>').format(container, inner, sign_of(elements)).encode("utf-8")


def refusal(code):
    return ('<?xml version="1.0" encoding="utf-8"?>\n<alipay><is_success>F</is_success><error>{}</error></alipay>'
            .format(code)).encode("ascii")


def form(**fields):
    return "&".join("{}={}".format(name, quote_plus(value)) for name, value in fields.items()).encode("ascii")


class Script:
    """A transport that gives its answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def send(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answer(200, "text/xml", answer)

    def asked(self, number=-1):
        """The fields of one call, of its address and its body together."""
        call = self.calls[number]
        return dict(params_of(call.url), **dict(parse_qsl((call.body or b"").decode("ascii"))))


def silence():
    return TransportError("gateway: no complete answer in time", kind="timeout", host="gateway", sent=True)
