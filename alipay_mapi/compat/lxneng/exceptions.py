"""The exceptions of PyPI's ``alipay``, under their names; each is one of ours too: both can be caught."""
from ...errors import AlipayError, GatewayError, InvalidRequest


class AlipayException(AlipayError):
    """Root of what the old library raised."""


class MissingParameter(AlipayException, InvalidRequest):
    """A parameter that the call needs was not given."""


class ParameterValueError(AlipayException, InvalidRequest):
    """A parameter has a value that cannot be sent."""


class TokenAuthorizationError(AlipayException, GatewayError):
    """The WAP gateway refused to make a token; ``code`` says why."""


class NotSupported(AlipayException, NotImplementedError):
    """What the old library raised NotImplementedError for."""
