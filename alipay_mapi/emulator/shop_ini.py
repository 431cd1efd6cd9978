"""A test merchant as a section of an ini file, ready for ``alipay-mapi --config`` and for a shop's own settings."""
from typing import Dict
from urllib.parse import urlsplit

from ..merchant import is_loopback
from .emulator import Emulator


def section(emulator: Emulator, merchant: str) -> str:
    """``[md5]`` and its settings; keys are made now if the merchant has none yet. Raises InvalidRequest.

    Keys stand on one line, as the merchant console takes and gives them: base64 without BEGIN and END.
    """
    one = emulator.merchant(merchant)
    values: Dict[str, str] = {"partner": one.partner, "sign_type": one.sign_type}
    for name, text in one.shop_keys().items():
        values[name] = "".join(line for line in text.splitlines() if not line.startswith("-----"))
    values["seller_email"] = one.seller_email
    values["input_charset"] = "utf-8"
    values["gateway"] = emulator.gateway_url
    url = urlsplit(emulator.gateway_url)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        values["allow_http"] = "true"
    return "[{}]\n".format(one.name) + "".join("{} = {}\n".format(*pair) for pair in values.items())
