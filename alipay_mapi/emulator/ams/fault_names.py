"""Faults of AMS's answers by name, and its result codes, which are faults too: "can simulate every error code"."""
from typing import Dict

from .codes import CODES, U

#: Name → what the client sees. The first six are those of MAPI's answers.
AMS_ANSWER_FAULTS: Dict[str, str] = {
    "slow": "the answer takes longer than a client waits",
    "reset": "the connection is reset in the middle of the body",
    "half-answer": "the body is shorter than its Content-Length says",
    "http-500": "status 500 with a page",
    "html-200": "status 200 with a maintenance page instead of JSON",
    "redirect": "status 302 to another address",
    "answer-unsigned": "the answer, also a yes, without a signature",
    "answer-sha1": "the signature is over SHA-1, under the label RSA256",
    "answer-md5": "the signature is over MD5, under the label RSA256",
    "answer-tampered": "the answer's amount or status was changed after it was signed",
    "answer-forged": "the answer is signed with a key that is not AMS's",
    "answer-other-client": "the answer is signed for another client id, and names it",
    "answer-re-pathed": "the signature was made for another call's path",
}
AMS_ANSWER_FAULTS.update({code: "{}: {}".format(status, message) for code, (status, message) in CODES.items()
                          if code != "SUCCESS"})


def is_code(name: str) -> bool:
    """Is the fault one of the result codes?"""
    return name in CODES


def may_be_done(name: str) -> bool:
    """May the work be done all the same? Not after a plain no, nor when there was too much traffic."""
    return not is_code(name) or CODES[name][0] == U and name != "REQUEST_TRAFFIC_EXCEED_LIMIT"
