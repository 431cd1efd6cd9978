"""Faults of answers: what the gateway would have said → what arrives."""
import re
from html import unescape
from typing import Optional

from . import messages_out, xml_writer
from .faults import Fault
from .merchants import TestMerchant
from .reply import HTML, XML, Outcome, Reply

_CHILD = re.compile(r"<([a-z_]+)>([^<]*)</\1>")
_RESPONSE = re.compile(r"<response><([a-z_]+)>(.*)</\1></response>", re.DOTALL)
_MAINTENANCE = b"<html><body><h1>The service is being maintained</h1></body></html>"


def apply(fault: Fault, outcome: Outcome, merchant: Optional[TestMerchant]) -> Reply:
    """The answer that the client gets. ``outcome``: what the gateway did; its ``reply`` is what it meant to say."""
    reply, charset = outcome.reply or Reply(), outcome.params.get("_input_charset")
    if fault.name in ("slow", "reset", "half-answer"):
        return reply._replace(fault=fault.name, seconds=fault.seconds)
    if fault.name == "http-500":
        return Reply(500, HTML, b"<html><body><h1>Internal Server Error</h1></body></html>")
    if fault.name == "html-200":
        return Reply(200, HTML, _MAINTENANCE)
    if fault.name == "redirect":
        return Reply(302, HTML, b"moved", headers=(("Location", "/"),))
    if fault.name == "system-error":
        return Reply(200, XML, xml_writer.failure("SYSTEM_ERROR", charset))
    if fault.name == "trade-not-exist":
        return Reply(200, XML, xml_writer.failure("TRADE_NOT_EXIST", charset))
    if fault.name == "unsigned-paid":
        return Reply(200, XML, _paid_unsigned(outcome.params, charset))
    return reply if merchant is None else _altered(fault.name, reply, outcome.params, merchant, charset)


def _paid_unsigned(params, charset):
    """What an attacker on the way would like a shop to believe."""
    elements = {"out_trade_no": params.get("out_trade_no", ""), "trade_no": params.get("trade_no", "2" * 28),
                "trade_status": "TRADE_FINISHED", "total_fee": "0.01", "gmt_payment": "2026-01-01 00:00:00"}
    return xml_writer.answer(None, params, "trade", elements, charset)


def _altered(name, reply, asked, merchant, charset):
    """The signed XML, changed; an answer that has nothing signed stays as it is."""
    codec = messages_out.codec_of(charset)
    text = reply.body.decode(codec)
    found = _RESPONSE.search(text)
    if found is None or reply.content_type != XML:
        return reply
    elements = {child: unescape(value) for child, value in _CHILD.findall(found.group(2))}
    if name == "answer-tampered":
        one = "total_fee" if "total_fee" in elements else sorted(elements)[0]
        old = "<{0}>{1}</{0}>".format(one, xml_writer.text_of(elements[one]))
        new = "<{0}>{1}</{0}>".format(one, "0.01" if elements[one] != "0.01" else "0.02")
        return reply._replace(body=text.replace(old, new).encode(codec, "xmlcharrefreplace"))
    if name == "answer-wrong-charset":
        elements["subject"] = elements.get("subject", "") + "茶"
        body = xml_writer.answer(merchant.signer, asked, found.group(1), elements, charset)
        # Big5: neither UTF-8 nor GBK, so that no reading of it fits the sign.
        return reply._replace(body=body.decode(codec).encode("big5", "xmlcharrefreplace"))
    body = xml_writer.answer(merchant.forger, asked, found.group(1), elements, charset)
    return reply._replace(body=body)
