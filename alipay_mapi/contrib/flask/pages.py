"""Two small pages for a buyer who is back, in English and Chinese. A shop with ``RETURN_TO`` shows its own."""
from typing import NamedTuple

from flask import Response
from markupsafe import Markup


class Page(NamedTuple):
    """``english``, ``chinese``: (heading, text)."""

    english: tuple
    chinese: tuple


CHECKING = Page(
    ("We are checking your payment", "Alipay sent you back to us. As soon as Alipay has confirmed it to us, your order "
                                     "goes on; you need not do anything, and need not pay again."),
    ("正在确认您的付款", "您已从支付宝返回。收到支付宝的确认后，我们会继续处理您的订单；"
                 "您无需任何操作，也请勿重复付款。"))
UNBELIEVABLE = Page(
    ("This is not an address of Alipay's", "It does not hold what Alipay gives to buyers who come back. If you have "
                                           "paid, you need not do anything: we ask Alipay ourselves. Open your order "
                                           "in the shop to see how it stands."),
    ("无法识别您的返回信息", "此地址中没有支付宝的有效信息。如果您已付款，无需任何操作，"
                   "我们会自行向支付宝查询。请在商店中打开您的订单查看状态。"))
NOT_NOW = Page(
    ("We cannot look just now", "If you have paid, you need not do anything, and need not pay again: we ask Alipay "
                                "ourselves. Open your order in the shop to see how it stands."),
    ("暂时无法查询", "如果您已付款，无需任何操作，也请勿重复付款，"
               "我们会自行向支付宝查询。请在商店中打开您的订单查看状态。"))

_PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{english}</title>
<style>
body {{ font: 1.1em/1.5 sans-serif; max-width: 34em; margin: 3em auto; padding: 0 1em }}
h1, h2 {{ font-size: 1.3em }}
</style>
</head>
<body>
<h1>{english}</h1>
<p>{english_text}</p>
{number}
<div id="chinese" lang="zh">
<h2>{chinese}</h2>
<p>{chinese_text}</p>
</div>
</body>
</html>
""")
_NUMBER = Markup('<p>Order <span lang="zh">订单号</span>: <strong>{}</strong></p>')


def response(page: Page, status: int, number: str = "") -> Response:
    """``number``: the order's, "" for none."""
    text = _PAGE.format(english=page.english[0], english_text=page.english[1], chinese=page.chinese[0],
                        chinese_text=page.chinese[1], number=_NUMBER.format(number) if number else "")
    answer = Response(text, status, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer
