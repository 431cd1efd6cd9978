"""Parameters → pre-sign string: the text that is signed. Two dialects, and a third that is used as received.

=========  =====================================  ======================================================
dialect    text                                   where
=========  =====================================  ======================================================
sorted     ``a=1&b=2``, names in byte order       every gateway request, notification, return, XML answer
quoted     ``a="1"&b="2"``                        the order string of ``mobile.securitypay.pay``
received   as it came, up to ``&sign_type=``      the app SDK's result
=========  =====================================  ======================================================

Rules ("Creating the Pre-sign String"): ``sign`` and ``sign_type`` are left out; empty values are left out; values are
raw, neither percent-encoded nor trimmed; names sort by ASCII, so ``_input_charset`` comes after capitals and before
small letters. MAPI and OpenAPI differ in both "left out" rules: never share this with another protocol.
"""
from typing import Iterable, Mapping, Tuple, Union

#: Never part of the signed text.
UNSIGNED = frozenset(["sign", "sign_type"])


def presign_string(params: Mapping[str, str]) -> str:
    """The sorted dialect. ``params``: names to raw, unencoded text.

    >>> presign_string({"service": "test", "partner": "123", "body": "", "sign_type": "MD5"})
    'partner=123&service=test'
    """
    return "&".join([name + "=" + params[name] for name in sorted(params) if params[name] and name not in UNSIGNED])


def presign_bytes(pairs: Union[Mapping[bytes, bytes], Iterable[Tuple[bytes, bytes]]]) -> bytes:
    """The sorted dialect over received bytes: no charset is involved. ``pairs``: decoded once, without sign(_type)."""
    return b"&".join([b"=".join(pair) for pair in sorted(dict(pairs).items()) if pair[1]])


def quoted_string(params: Mapping[str, str]) -> str:
    """The quoted dialect, in the order of ``params``; values raw between quotation marks, empty ones left out.

    >>> quoted_string({"partner": "123", "total_fee": "0.01"})
    'partner="123"&total_fee="0.01"'
    """
    return "&".join(['{}="{}"'.format(name, value) for name, value in params.items()
                     if value and name not in UNSIGNED])
