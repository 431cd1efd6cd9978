"""The gateway's "no": an error code of the protocol, and for people why."""
from ..errors import AlipayError


class Refused(AlipayError):
    """A request, or something that a buyer does, that the emulated gateway refuses.

    ``code``: the gateway's word, as on the wire. The message says which parameter or state is in the way; Alipay does
    not tell that, the cashier and the request log of the emulator do. ``parameter``: its name, or "".
    """

    code = "SYSTEM_ERROR"
    parameter = ""


def refuse(code: str, why: str, parameter: str = "") -> Refused:
    """The exception to raise."""
    return Refused("{}: {}".format(code, why), code=code, parameter=parameter)
