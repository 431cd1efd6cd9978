"""The plain text that file services answer in place of XML: records, or a sentence that says why there are none.

Nobody signs it: it is worth what TLS is worth. The rows are handed out as lines. Source: forex_rate_file,
forex_compare_file, forex_liquidation_file.
"""
from dataclasses import dataclass, field
from typing import Tuple, Union

from . import charsets, error_codes
from .errors import GatewayError, TransportError, show
from .merchant import Merchant


@dataclass(frozen=True)
class TextAnswer:
    """A file that a service answered in place of XML. Unsigned: it is worth what TLS is worth.

    ``lines``: the records, without blank lines. ``is_empty``: no record (Alipay says "No balance … data").
    """

    text: str = field(repr=False)
    lines: Tuple[str, ...] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        return not self.lines


def parse_text(shop: Merchant, body: bytes, content_type: str = "", service: str = "") -> TextAnswer:
    """A file's bytes → its records.

    "No balance … data" is an empty file. Raises GatewayError (``code``: the sentence) for any other failure text,
    CharsetError, and TransportError for text that is no record of a file: an error page in between.
    """
    failure = error_codes.file_failure(body)
    if failure is not None and failure.empty:
        return TextAnswer("", ())
    if failure is not None:
        raise GatewayError("{}: no file: {} ({})".format(service, show(failure.text), failure.meaning),
                           code=failure.text, service=service)
    text = charsets.decode(body, charsets.of_content_type(content_type), shop.input_charset).lstrip("\ufeff")
    # Not splitlines(): a remark may hold U+2028 or U+0085, which ends no record.
    lines = tuple(line for line in text.replace("\r\n", "\n").split("\n") if line.strip())
    if not lines or "|" not in lines[0]:
        raise no_answer("text without a record")
    return TextAnswer(text, lines)


def no_answer(what: Union[str, Exception]) -> TransportError:
    if isinstance(what, Exception):
        what = "{} ({})".format(type(what).__name__, what)
    return TransportError("not an answer of the gateway: {}".format(what), kind="not-an-answer", sent=True)
