"""A test merchant as a section of an ini file, ready for ``alipay-mapi --config`` and for a shop's own settings; the
same shop's account at AMS is a section ``[NAME.ams]`` beside it."""
from typing import Dict, Mapping
from urllib.parse import urlsplit

from ..merchant import is_loopback
from .ams.clients import KEY_VERSION
from .emulator import Emulator


def section(emulator: Emulator, merchant: str) -> str:
    """``[md5]`` and its settings; keys are made now if the merchant has none yet. Raises InvalidRequest.

    Keys stand on one line, as the merchant console takes and gives them: base64 without BEGIN and END.
    """
    one = emulator.merchant(merchant)
    values = dict({"partner": one.partner, "sign_type": one.sign_type}, **_lines(one.shop_keys()))
    values.update({"seller_email": one.seller_email, "input_charset": "utf-8", "gateway": emulator.gateway_url})
    return _section(one.name, dict(values, **_http(emulator.gateway_url)))


def ams_section(emulator: Emulator, merchant: str, sandbox: bool = False) -> str:
    """``[md5.ams]`` and its settings, in the same way. ``sandbox``: the other client id. Raises InvalidRequest."""
    one = emulator.ams_client(merchant, sandbox)
    values = dict({"client_id": one.client_id}, **_lines(one.shop_keys()))
    values.update({"key_version": KEY_VERSION, "domain": emulator.base_url})
    if one.setting("in_store"):
        values["in_store"] = "true"
    return _section(one.name + ".ams", dict(values, **_http(emulator.base_url)))


def _lines(keys: Mapping[str, str]) -> Dict[str, str]:
    return {name: "".join(line for line in text.splitlines() if not line.startswith("-----"))
            for name, text in keys.items()}


def _http(address: str) -> Dict[str, str]:
    """What plain HTTP to another machine needs, in so many words."""
    url = urlsplit(address)
    return {"allow_http": "true"} if url.scheme == "http" and not is_loopback(url.hostname or "") else {}


def _section(name: str, values: Mapping[str, str]) -> str:
    return "[{}]\n".format(name) + "".join("{} = {}\n".format(*pair) for pair in values.items())
