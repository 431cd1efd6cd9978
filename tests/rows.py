"""Which test stands behind which row of the threat model: ``python tests/rows.py``.

A test belongs to a row by its name: ``test_T20_…``; ``test_T08_and_T09_…`` belongs to two. Prints the table and exits 1
when a row of this layer has no test, or only one that does not show both twins: the hostile message refused and the
genuine one taken.
"""
import ast
import re
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent

#: Row → one line about it. A second value says why it is not, or not wholly, of this layer.
ROWS = {
    "T-01": ("MD5 at an RSA shop, keyed with the public key or with nothing",),
    "T-02": ("an old MD5 key still configured beside RSA2",),
    "T-03": ("RSA2 shop, the message says RSA, with a genuine SHA-1 signature",),
    "T-04": ("says RSA2, the hash inside the signature is another",),
    "T-05": ("sign_type absent, lower case, unknown, padded",),
    "T-06": ("sign absent, empty, misspelled",),
    "T-07": ("sign outside ASCII",),
    "T-08": ("base64 with junk, line breaks, url-safe, without padding",),
    "T-09": ("base64 with spare bits that are not zero",),
    "T-10": ("a + of the sign that became a blank",),
    "T-11": ("RSA: length, leading zero, s+n, 0, 1, padding, DigestInfo, BER",),
    "T-12": ("Bleichenbacher 2006 with e = 3",),
    "T-13": ("DSA: r and s out of range, negated, non-minimal or trailing DER, raw",),
    "T-14": ("MD5 hex: short, upper case, numeric-looking",),
    "T-15": ("timing: compare_digest everywhere",),
    "T-16": ("our own request reflected, or a signed message cut in another place",),
    "T-17": ("our own public key configured as Alipay's",),
    "T-18": ("the same verdicts under python -O",),
    "T-20": ("the same name twice",),
    "T-21": ("name[] and ; are nothing special",),
    "T-22": ("NUL; CR, LF, & or = in a name",),
    "T-23": ("text that is not strictly in its charset",),
    "T-24": ("GBK shops, and charset=GBK",),
    "T-25": ("charset=utf-16, utf-7 or any other codec's name",),
    "T-26": ("UTF-8 bytes that read as GBK with the same sign",),
    "T-27": ("+, %20, %2B, %2F: decoded exactly once",),
    "T-28": ("empty values are not signed",),
    "T-29": ("unknown signed fields are handed out",),
    "T-30": ("the merchant's own query and route parameters",),
    "T-31": ("huge bodies, values, signs, numbers of names",),
    "T-32": ("wrong method, JSON, multipart",),
    "T-33": ("CSRF and login middleware", "run in the cells of Django and Flask"),
    "T-40": ("another merchant's notification",),
    "T-41": ("RSA, and no seller named",),
    "T-42": ("another amount, or what is no amount",),
    "T-43": ("another currency",),
    "T-44": ("an unknown order, or a number that nearly fits",),
    "T-45": ("an unknown trade_status",),
    "T-46": ("replay of a notify_id",),
    "T-47": ("the same notify_id with other content",),
    "T-48": ("statuses in the wrong order; a close after the payment",),
    "T-49": ("a second paid trade for one order",),
    "T-50": ("deliveries, query and return at once",),
    "T-51": ("the return taken as proof",),
    "T-52": ("a refused message burns the id",),
    "T-53": ("a flood of junk",),
    "T-60": ("unreachable, refused, DNS",),
    "T-61": ("hangs: connect, read and total limits",),
    "T-62": ("status 500 with the body true",),
    "T-63": ("a redirect",),
    "T-64": ("True, <html>true, empty, a prefix",),
    "T-65": ("a short body, a reset inside it",),
    "T-66": ("notify_id with &partner=",),
    "T-67": ("plain http, a bad certificate, a wrong host",),
    "T-68": ("a lying true",),
    "T-69": ("no URL of a message is fetched",),
    "T-70": ("slow, huge or compressed answers",),
    "T-71": ("5xx, 429, an HTML page with 200",),
    "T-72": ("a time-out after a refund was sent",),
    "T-73": ("DOCTYPE, entities, DTDs, also in UTF-16",),
    "T-74": ("a comment, an instruction, a child inside a value",),
    "T-75": ("repeated elements, two trades, two signs",),
    "T-76": ("wrong root, HTML, JSON, empty, truncated, trailing data",),
    "T-77": ("a declared charset that is wrong or unknown",),
    "T-78": ("paid and unsigned; a sign over other elements; sign_type changed",),
    "T-79": ("the genuine answer to another question",),
    "T-80": ("keys that can be broken",),
    "T-81": ("the wrong key, half a key, no key",),
    "T-82": ("a right key in any spelling",),
    "T-83": ("an MD5 key that is empty, short or a public key",),
    "T-84": ("a key in a repr, an exception, a log, a pickle",),
    "T-90": ("two runs overlap",),
    "T-91": ("kill -9 at any instruction",),
    "T-92": ("a claim left behind",),
    "T-93": ("the clock jumps",),
    "T-94": ("Alipay's times are GMT+8, aware, and naive ones are refused",),
    "T-95": ("a poison order",),
    "T-96": ("the database is locked, full, gone",),
    "T-97": ("the gateway is back with 10,000 due",),
    "T-98": ("the query says paid while the notification is handled",),
    "T-99": ("a restart with another schema",),
    "T-100": ("what is never logged",),
    "T-101": ("what is always logged",),
    "T-102": ("control characters in logged input",),
    "T-103": ("one line per refused message, rate-limited",),
}

_LEADING = re.compile(r"test_((?:(?:and_)?T[0-9]{2,3}_)+)")


def rows_of(function_name):
    """``test_T08_and_T09_x`` → ["T-08", "T-09"]."""
    match = _LEADING.match(function_name + "_")
    return ["T-" + digits for digits in re.findall("T([0-9]+)", match.group(1))] if match else []


def tests_of_rows():
    """Row → [(file, function name, does it show both twins)]."""
    found = {row: [] for row in ROWS}
    for path in sorted(TESTS.glob("**/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            if isinstance(node, ast.FunctionDef):
                for row in rows_of(node.name):
                    found.setdefault(row, []).append(
                        (path.relative_to(TESTS).as_posix(), node.name, shows_both(node)))
    return found


def shows_both(function):
    """A guess: parametrised, or said so in the docstring, or something is refused and something else is asserted."""
    text = (ast.get_docstring(function) or "").lower()
    if function.decorator_list or ("genuine" in text and "hostile" in text):
        return True
    refuses = any(isinstance(node, ast.Attribute) and node.attr == "raises" for node in ast.walk(function))
    return refuses and any(isinstance(node, ast.Assert) for node in ast.walk(function))


def main():
    found = tests_of_rows()
    problems = ["{}: {} names a row that is not in the list".format(path, name)
                for row in found if row not in ROWS for path, name, _ in found[row]]
    for row, (text, *later) in ROWS.items():
        tests = found[row]
        print("{:6} {:75} {}".format(row, text, later[0] if later else ""))
        for path, name, _ in tests:
            print("         {}::{}".format(path, name))
        if not tests and not later:
            problems.append("{}: no test ({})".format(row, text))
        if len(tests) == 1 and not tests[0][2]:
            problems.append("{}: one test, which shows one twin only ({})".format(row, tests[0][1]))
    without = [row for row in ROWS if not found[row]]
    print("\n{} rows, {} with a test; without: {}".format(
        len(ROWS), len(ROWS) - len(without), ", ".join(without) or "none"))
    for problem in problems:
        print("PROBLEM", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
