"""Taking a check out makes its test fail: ``python tests/mutants.py [word …]``.

Each mutant switches one check off in a copy of the package and runs the tests of its rows (see ``rows.py``), or of the
test file that it names, against the copy; with words, only mutants whose rows or files match. Exits 1 when a mutant
survives, when its source text is no longer there exactly once, or when the copy cannot even be imported. Takes a few
minutes; as many run at a time as the machine has processors, each in a process of its own: see ``mutants_process.py``.
"""
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import mutants_fallback
import mutants_gateways
import mutants_migration
import mutants_migration_card
import mutants_web
from rows import ROWS, tests_of_rows

CHECKOUT = Path(__file__).resolve().parent.parent
WORKERS = os.cpu_count() or 2
#: Rows of this layer with nothing to take out.
NO_CHECK = {"T-33": "its tests run in the cells of Django and Flask, which have no mutants",
            "T-103": "its mutants name the files: callbacks_flood, seldom",
            "T-91": "the harness plants its own bugs, and a test for each says that it is found: tests/faults",
            "T-68": "a confirmation is one of several checks: see is_paid, test_notification.py",
            "T-69": "no code fetches a URL that came in a message"}
LONGEST = 120  # seconds; a mutant that hangs has been noticed
_TIMES = itertools.count(10**9)
#: For a worker. In place of setup.cfg's addopts, which have every module searched for doctests as well.
_ARGUMENTS = [LONGEST, "-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=--strict-markers"]

#: (rows, a test file or one test of it, file, source text, what stands there instead[, source text, instead …])
MUTANTS = [
    # signing, algorithms
    ("T-01 T-02 T-03", "signing.py", "    check_sign_type(sign_type, named)\n",
     "    sign_type = named if named in algorithms.ALGORITHMS else sign_type\n"),
    ("T-05", "signing.py", "    if named == configured:",
     "    if named is None or named.strip().upper() == configured:"),
    ("T-06", "signing.py", "    if not sign_text:", "    if sign_text is None:"),
    ("T-18", "signing.py", "    if not algorithms.verify(sign_type, keys, presign, raw):",
     "    assert algorithms.verify(sign_type, keys, presign, raw)\n    if False:"),
    ("T-16", "signing.py", "        if name in _NAMES:", '        if name == b"sign":'),
    ("T-07", "algorithms.py", "except (binascii.Error, UnicodeEncodeError):", "except binascii.Error:"),
    ("T-08", "algorithms.py", "if raw and binascii.b2a_base64(raw, newline=False) == spelling:", "if raw:"),
    ("T-09", "algorithms.py", "if raw and binascii.b2a_base64(raw, newline=False) == spelling:",
     'if raw and re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", spelling):'),
    ("T-10", "algorithms.py", 'text.replace(" ", "+")', "text"),
    ("T-10", "algorithms.py", 'text.replace(" ", "+")', 'text.replace(" ", "+").replace("-", "+")'),
    ("T-14", "algorithms.py", "        if _HEX.fullmatch(text) is None:",
     "        text = text.lower()\n        if _HEX.fullmatch(text) is None:"),
    ("T-14", "algorithms.py", 'r"[0-9a-f]{32}"', 'r"[0-9a-f]{1,32}"'),
    ("T-15", "algorithms.py", 'hmac.compare_digest(_md5(data + key.secret).encode("ascii"), raw)',
     '(_md5(data + key.secret).encode("ascii") == raw)'),
    ("T-04", "algorithms.py", '"RSA2": ("RSA", "SHA256")', '"RSA2": ("RSA", "SHA1")'),
    ("T-11", "crypto/pycryptodome.py", "        if len(signature) != key.length:", "        if False:"),
    ("T-11", "crypto/pycryptodome.py", "        if number >= key.n:", "        if False:"),
    ("T-11 T-04", "crypto/pycryptodome.py", "        wanted = ",
     "        return pow(number, key.e, key.n).to_bytes(key.length).endswith(new(data).digest())\n        wanted = "),
    ("T-12", "crypto/pycryptodome.py", "        wanted = ",
     "        return b\"\\x00\" + tail in pow(number, key.e, key.n).to_bytes(key.length)\n        wanted = "),
    ("T-13", "crypto/pycryptodome.py", "    try:\n        _dss(key).verify(",
     "    try:\n        signature = signature[:2 + signature[1]]\n        _dss(key).verify("),
    # forms
    ("T-20", "form_body.py", "        if name in pairs:", "        if False:"),
    ("T-20", "form_body.py", "if len(pairs) != len(parts) or not _KNOWN", "if not _KNOWN"),
    ("T-21", "form_body.py", '.split(b"&")]', '.replace(b";", b"&").split(b"&")]'),
    ("T-22", "form_body.py", 'if 0 in raw or b"%00" in raw:', "if False:"),
    ("T-22", "form_body.py", 'if 0 in raw or b"%00" in raw:', 'if b"%00" in raw:'),
    ("T-22", "form_body.py", 'rb"[^\\x00-\\x1f\\x7f&=]{1,128}"', 'rb"(?s).{1,128}"'),
    ("T-27", "form_body.py", "            pairs[name] = _unquote(value)\n    return pairs\n\n\ndef _one",
     "            pairs[name] = _unquote(_unquote(value))\n    return pairs\n\n\ndef _one"),
    ("test_form_body.py", "form_body.py", "if len(part) != 2 or _NAME", "if _NAME"),
    ("T-31", "form_body.py", "    if len(raw) > MAX_BYTES:", "    if False:"),
    ("T-31", "form_body.py", 'if raw.count(b"&") >= MAX_PARAMETERS:', "if False:"),
    ("T-23", "charsets.py", "            raw.decode(codec)\n", '            raw.decode(codec, "replace")\n'),
    ("T-24", "charsets.py", '"gbk": ("gbk", "gb18030")', '"gbk": ("utf-8", "utf-8")'),
    ("T-25", "charsets.py", "(configured, declared) if known(declared) else (configured,)",
     "(configured, declared) if declared else (configured,)",
     "return value if known(value) else None", "return value"),
    ("T-26", "charsets.py", 'if named == ("gb18030", "gb18030") else', 'if "gb18030" in named else'),
    ("T-28", "presign.py", "if params[name] and name not in UNSIGNED", "if name not in UNSIGNED"),
    # notification, return, app result
    ("T-16", "notification.py", "        cut = signing.find_cut_bytes(pairs.items())", "        cut = None"),
    ("T-16", "notification.py", '    if b"service" in pairs:', "    if False:"),
    ("T-16", "notification.py", "    for name in _FOREIGN:", "    for name in ():"),
    ("T-16", "notification.py", 'if "notify_type" not in params or "notify_id" not in params:',
     'if "notify_type" not in params:'),
    ("T-16", "notification.py", "if value and name not in own}", "if name not in own}"),
    ("T-29", "notification.py", "value.decode(codec) for name, value in pairs.items()}",
     "value.decode(codec) for name, value in pairs.items() if name in form_body._KNOWN}"),
    ("T-30", "notification.py", "if value and name not in own}", "if value}"),
    ("T-31", "notification.py", "    form_body.check_size(body)\n", ""),
    ("T-32", "notification.py", 'if media_type.lower() != "application/x-www-form-urlencoded":', "if False:"),
    ("T-41", "notification.py", "    elif confirm is None:\n", "    elif False:\n"),
    ("T-41", "notification.py", "if confirm(notify_id) is not True:", "if not confirm(notify_id):"),
    ("T-41", "notification.py", 'if FIELDS["notify_id"].match(notify_id) is None:', "if False:"),
    ("T-45", "notification.py", 'if self.kind == TRADE and self.get("trade_status") not in status.KNOWN:', "if False:"),
    ("T-45", "notification.py", 'self.kind == TRADE and self.get("trade_status") in status.PAID\n',
     "self.kind == TRADE\n"),
    ("test_notification.py", "notification.py",
     "{messages.SIGN, messages.PARTY, messages.ORDER, messages.AMOUNT} <= self.passed",
     "messages.SIGN in self.passed"),
    ("T-52 T-46", "notification.py", "    form_body.check_size(body)\n", "    form_body.check_size(body)\n"
     '    if bytes(body[:30]) in shop.__dict__.setdefault("_seen", set()):\n        raise NotConfirmed("seen")\n'
     '    shop.__dict__["_seen"].add(bytes(body[:30]))\n'),
    ("T-53", "notification.py", "    form_body.check_size(body)\n",
     '    form_body.check_size(body)\n    if confirm:\n        confirm("x")\n'),
    ("T-53", "notification.py", "    form_body.check_size(body)\n",
     '    form_body.check_size(body)\n    if callable(order):\n        order("x")\n'),
    ("test_app_result.py", "app_result.py", "or signing.find_cut(value):", ":"),
    ("test_app_result.py", "app_result.py", 'if params["service"] != "mobile.securitypay.pay":', "if False:"),
    ("test_app_result.py", "app_result.py", 'if "service" not in params:',
     'if params.setdefault("service", "") is None:'),
    ("test_app_result.py", "app_result.py", "    if not check_party(shop, params):", "    if False:"),
    ("test_app_result.py", "app_result.py", "        if name in params or", "        if"),
    ("test_app_result.py", "app_result.py", " or name in presign.UNSIGNED:", ":"),
    ("T-51", "synchronous_return.py", '    _what = "SynchronousReturn"\n',
     '    _what = "SynchronousReturn"\n    is_paid = True\n'),
    ("T-51", "trade_state.py", "if not isinstance(message, (Notification, Response)):", "if False:"),
    # checks
    ("T-40", "checks.py", "        if theirs != ours:", "        if False:"),
    ("T-40", "checks.py", "                if theirs.lower() != shop.seller_email.lower():",
     "                if False:"),
    ("T-41", "checks.py", "    if posted and shop.key_is_shared:", "    if False:"),
    ("T-41", "checks.py", "            name in message for name in _NOT_ADDED)",
     "            True for name in _NOT_ADDED)"),
    ("T-41", "checks.py", 'named = named and (seller is not None or "seller_email" in message) and any(',
     "named = named and any("),
    ("T-41", "checks.py", "    return named or not shop.key_is_shared", "    return True"),
    ("T-41", "merchant.py", 'return self.sign_type in ("RSA", "DSA")', 'return self.sign_type == "DSA"'),
    ("T-42", "checks.py", "    if not fits:", "    if False:"),
    ("T-42", "amounts.py", 'r"(0|[1-9][0-9]{0,11})(\\.[0-9]{1,2})?", re.ASCII', 'r"(0|[1-9]\\d{0,11})(\\.\\d{1,2})?"'),
    ("T-42", "amounts.py", "(\\.[0-9]{1,2})?", "(\\.[0-9]{1,3})?"),
    ("T-43", "checks.py", '    if currency is not None and currency != (order.currency or "CNY"):', "    if False:"),
    ("T-43", "checks.py", "    if currency is None and not domestic:", "    if False:"),
    ("T-44", "checks.py", "    if found.out_trade_no != number:",
     "    if found.out_trade_no.lower().strip() != number.lower().strip():"),
    ("T-44", "checks.py", "    if found is None:", "    if False:"),
    ("T-46", "trade_state.py", "for e in self._implied() if e not in self.done)", "for e in self._implied())"),
    ("T-47", "trade_state.py", "if len({d for i, d in state.seen", "if False and len({d for i, d in state.seen"),
    ("T-42", "trade_state.py", "(self.answered - self.mismatched)", "self.answered"),
    ("T-42", "trade_state.py", '._add("mismatched", trade)', ""),
    ("T-42", "checks.py", "            _some_amount(message)\n", ""),
    ("T-48", "trade_state.py", "return PAID if paid - self.closed_trades else REFUNDED", "return PAID"),
    ("T-48", "trade_state.py", "        return self.paid_trades | ",
     "        return self.paid_trades - self.closed_trades | "),
    ("T-48", "trade_state.py", "            if _is_refunded_whole(message):", "            if False:"),
    ("T-49", "trade_state.py", 'if len((paid | self.answered) - {""}) > 1:', "if False:"),
    ("T-50", "trade_state.py", '        return ":".join(', '        return str(id(self)) + ":".join('),
    ("T-78", "trade_state.py", 'if messages.SIGN not in message.passed or', "if"),
    # the gateway
    ("T-60", "transport.py", "        except Exception as err:\n", "        except ZeroDivisionError as err:\n"),
    ("T-61 T-70", "deadline.py", "        if left <= 0:", "        left = max(left, 5.0)\n        if left <= 0:"),
    ("T-61", "client.py", "or self._left(started) <= pause:", "or False:"),
    ("T-62", "client.py", "        if answer.status != 200:", "        if False:"),
    ("T-63 T-71", "transport.py", "            if status != 200:", "            if status >= 400:"),
    ("T-63", "transport.py", "allow_redirects=False", "allow_redirects=True",
     "return None     # requests reads", "return super().get_redirect_target(resp)     #"),
    ("T-71", "transport.py", "            if status != 200:", "            if False:"),
    ("T-64", "client.py", "        word = answer.body.strip()\n", "        word = answer.body.strip().lower()\n"),
    ("T-64", "client.py", "        word = answer.body.strip()\n", "        word = answer.body.strip()[:4]\n"),
    ("T-65", "transport.py", "if declared is not None and ", "if False and declared is not None and "),
    ("T-66", "fields.py", 'r"[A-Za-z0-9+/=_%.-]{1,256}"', 'r".{1,256}"'),
    ("T-67", "transport.py", 'if match.group(1) == "http" and not self._allow_http',
     'if False and not self._allow_http'),
    ("T-67", "transport.py", "verify=self._verify", "verify=False"),
    ("T-67", "merchant.py", 'if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname or ""):',
     "if False:"),
    ("T-67", "merchant.py", 'not is_loopback(parts.hostname or "")',
     'not parts.hostname.startswith(("127.", "localhost", "::1"))'),
    ("T-70", "transport.py", "        if size > CAP:", "        if False:"),
    ("T-70", "transport.py", "        if len(body) > CAP:", "        if False:"),
    ("T-71", "client.py", "raise no_answer(problem) if isinstance(problem, _NOT_AN_ANSWER) else problem",
     "raise problem"),
    ("T-72", "client.py", 'if writes and getattr(fault, "sent", True):', "if False:"),
    ("T-72", "client.py", "            if writes:\n                raise _outcome_unknown(request, \"its answer",
     "            if False:\n                raise _outcome_unknown(request, \"its answer"),
    ("T-72", "client.py", "row is None or row.writes\n", "False\n"),
    ("T-72", "client.py", "if writes and _leaves_open(response, refusal.code):", "if False:"),
    # XML
    ("T-73 T-74", "xml_answer.py", 'if _BANG in xml and b"<!" in xml or', "if"),
    ("T-73 T-74", "xml_answer.py", '_QUESTION in xml and b"<?" in xml:', "False:"),
    ("T-73", "xml_answer.py", 'if _AMPERSAND in xml and _UNKNOWN_ENTITY.search(xml):', "if False:"),
    ("T-73", "xml_answer.py", 'if b"\\x00" in xml[:64]:', "if False:"),
    ("T-73", "xml_answer.py", "    if len(xml) > MAX_BYTES:", "    if False:"),
    ("T-73", "xml_answer.py", 'if xml.count(b"<") > 2 * MAX_ELEMENTS:', "if False:"),
    ("T-73", "xml_answer.py", 'if xml.count(b"=") > MAX_ATTRIBUTES and', "if False and"),
    ("T-73", "xml_answer.py", "resolve_entities=False, no_network=True, load_dtd=False",
     "no_network=False, load_dtd=True"),
    ("T-74", "xml_answer.py", "        if len(leaf):\n            raise _nested(leaf)\n", ""),
    ("T-74", "xml_answer.py", "    if len(element):\n        raise _nested(element)\n", ""),
    ("T-75", "xml_answer.py", "        if name in found:", "        if False:"),
    ("T-75", "xml_answer.py", "    for name in UNSIGNED:", "    for name in ():"),
    ("T-75", "xml_answer.py", "    if len(inside) != 1:", "    if not inside:"),
    ("T-76", "xml_answer.py", 'if root.tag != "alipay" or root.attrib:', "if root.attrib:"),
    ("T-76", "xml_answer.py", 'if root.tag != "alipay" or root.attrib:', 'if root.tag != "alipay":'),
    ("T-76", "xml_answer.py", '        if name[0] == "{":', "        if False:"),
    ("T-76", "xml_answer.py", "recover=False", "recover=True"),
    ("T-76", "xml_answer.py", "    if _HTML.match(xml):", "    if False:"),
    ("T-76", "xml_answer.py", '    if not xml.startswith(b"<"):', "    if not xml:"),
    ("T-76", "response.py", 'if answer.is_success not in ("T", "F"):', "if False:"),
    ("T-77", "xml_answer.py", "    if not charsets.known(name):", "    if False:"),
    ("T-77", "response.py", '        return charsets.codec_of(xml, "gb18030", "gb18030")', "        raise"),
    ("T-77", "response.py", "(text.encode(codec), text.encode(charsets.reading_codec(shop.input_charset)))",
     "(text.encode(codec),)"),
    ("T-78", "response.py", "        _allow_unsigned(answer, service)\n", ""),
    ("T-78", "response.py", "    if answer.container is not None or (",
     "    if (answer.container is not None and row is None) or ("),
    ("T-78", "response.py", "(row is None or row.signed_answer)", "(row is not None and row.signed_answer)"),
    ("T-78", "response.py", "    if not _sign_fits(shop, answer, elements, codec):", "    if False:"),
    ("T-16", "response.py", "    _refuse_reuse(elements)\n", ""),
    ("T-16", "response.py", "    for name in _ELSEWHERE:", "    for name in ():"),
    ("T-79", "response.py", "        if answered != str(wanted):", "        if False:"),
    ("T-79", "response.py", "(answered is None and not (query and ", "(answered is None and not (False and "),
    ("T-79", "response.py", '_ASKED = ("trade_no", "out_trade_no", ', '_ASKED = ("out_trade_no", '),
    ("T-79", "response.py", '"secondary_merchant_id", "store_id")', '"store_id")'),
    ("T-79", "response.py", "    if check_party(shop, elements):", "    if True:"),
    # requests
    ("T-16", "request.py", "        _refuse_cuts(sent)\n", "        pass\n"),
    ("T-22", "request.py", '        elif "\\x00" in value:', "        elif False:"),
    ("T-22", "request.py", "_NAME(name) is None:", "False:"),
    ("T-23", "request.py", "        return text.encode(codec)\n", '        return text.encode(codec, "replace")\n'),
    # keys, merchant, times, logs
    ("T-80 T-12", "keys.py", "    if exponent < 65537:", "    if exponent < 3:"),
    ("T-80", "keys.py", "    if key.bits < 1024:", "    if key.bits < 512:"),
    ("T-80", "merchant.py", "private.bits < 2048:", "private.bits < 1024:"),
    ("T-81", "keys.py", "    if form.private != private:", "    if False:"),
    ("T-81", "keys.py", "    if form.kind != kind:", "    if False:"),
    ("T-81", "keys.py", '    if form.container == "certificate":', "    if False:"),
    ("T-81", "keys.py", '    if form.container == "encrypted":', "    if False:"),
    ("T-81", "keys.py", "    if not _sound(key):", "    if False:"),
    ("T-81", "keys.py", 'several = data.count(b"-----BEGIN") > 1', "several = False"),
    ("T-81", "keys.py", "    if len(data) > _LONGEST_DER:", "    if False:"),
    ("T-82", "keys.py", '_BLANKS.sub(b"", data)', "data"),
    ("T-83", "keys.py", "or _base64_key(data) is not None:", ":"),
    ("T-83", "keys.py", 'if b"-----" in data or', "if"),
    ("T-83", "keys.py", "    if len(data) < 32:", "    if False:"),
    ("T-84", "keys.py", '        return "<MD5 key>"', '        return "<MD5 key {}>".format(self.secret)'),
    ("T-84", "keys.py", '        raise InvalidRequest("{} is not pickled',
     '        if protocol < 2:\n            return object.'
     '__reduce_ex__(self, 2)\n        raise InvalidRequest("{} is not pickled'),
    ("T-17", "merchant.py", "if private is not None and any(", "if False and any("),
    ("T-25", "merchant.py", "and charsets.known(self.input_charset)):", "):"),
    ("T-94", "times.py", "    if moment.tzinfo is None or moment.utcoffset() is None:", "    if False:"),
    ("T-94", "times.py", 'int(fraction.ljust(6, "0")), GMT8)', 'int(fraction.ljust(6, "0")))'),
    ("T-94", "times.py", "GMT8 = timezone(timedelta(hours=8))", "GMT8 = timezone(timedelta(hours=9))"),
    ("T-100", "deadline.py", "            exchange.query = mark + query\n            return target\n",
     "            return target + mark + query\n"),
    ("T-101", "client.py", '        _LOG.log(level, "%s%s verdict=%s', '        _LOG.log(level, "%s%s %s'),
    ("T-102", "errors.py", "    if cut.isprintable():", "    if True:"),
    # the emulator: what it lets through, and when
    ("emulator/test_emu_gateway.py", "emulator/gateway.py", "            if fits is False:", "            if False:"),
    ("emulator/test_emu_gateway.py", "emulator/gateway.py", "        if sign_type != merchant.sign_type:",
     "        if False:"),
    ("emulator/test_emu_gateway.py", "emulator/gateway.py", "        if abs(now - sent) > TIMESTAMP_LIFE:",
     "        if False:"),
    ("emulator/test_emu_notifier.py", "emulator/notifier.py",
     'self.status == 200 and self.text.strip().lower() == "success"', 'self.text.strip().lower() == "success"'),
    ("emulator/test_emu_notifier.py", "emulator/notifier.py", 'row["state"] == ACKNOWLEDGED or not', "not"),
    ("emulator/test_emu_refunds.py", "emulator/refunds.py",
     'Decimal(trade["refunded"]) + amount > Decimal(trade["total_fee"])', "False",
     'Decimal(trade["refunded_cny"]) + cny > Decimal(trade["cny"])', "False"),
    ("emulator/test_emu_refunds.py", "emulator/refunds.py", "timedelta(0) <= now - parse_time(last) < SPACING:",
     "False:"),
    ("emulator/test_emu_trades.py", "emulator/trades.py", 'if buyer.balance is not None and', "if False and"),
    ("emulator/test_web.py", "emulator/web.py", "            return Reply(403, PLAIN, b\"refused:",
     "            pass\n        if False:\n            return Reply(403, PLAIN, b\"refused:"),
    ("testing/test_testing_gateway.py", "testing/gateway.py", 'return host in ALIPAY_HOSTS or (', "return ("),
]
MUTANTS += mutants_fallback.MUTANTS + mutants_migration.MUTANTS + mutants_migration_card.MUTANTS
MUTANTS += mutants_gateways.MUTANTS + mutants_web.MUTANTS


def main():
    words = sys.argv[1:]
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant[0].split() + [mutant[1]]
                                                               for word in words)]
    tests, started = tests_of_rows(), time.time()
    workers = Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch, ExitStack() as ended:
        for number in range(WORKERS):
            folder = _copy(Path(scratch) / str(number))
            workers.put((folder, ended.enter_context(_process(folder))))
        with ThreadPoolExecutor(WORKERS) as pool:
            verdicts = list(pool.map(lambda mutant: _try(mutant, tests, workers), chosen))
    bad = [(mutant, verdict) for mutant, verdict in zip(chosen, verdicts) if verdict != "noticed"]
    print("{} mutants, {} noticed, {:.0f} s".format(len(chosen), len(chosen) - len(bad), time.time() - started))
    for (rows, file, old, *_), verdict in bad:
        print("{}: {} ({}) {!r}".format(verdict.upper(), file, rows, old[:70]))
    print("rows of this layer without a mutant:", " ".join(_rows_without()) or "none")
    return 1 if bad else 0


def _tests(rows, file, tests):
    """Ids for pytest; those of the module's own test file first, as they are the likeliest to notice."""
    if ".py" in rows:
        return ["tests/" + rows]
    # Those of the frameworks are for cells that have one.
    found = [(path, name) for row in rows.split() for path, name, _ in tests[row]
             if not path.startswith(("contrib/django", "contrib/flask"))]
    own = "test_" + Path(file).name
    return ["tests/{}::{}".format(path, name) for path, name in sorted(found, key=lambda each: each[0] != own)]


def _rows_without():
    covered = {row for mutant in MUTANTS for row in mutant[0].split()}
    return [row for row, (_, *later) in ROWS.items()
            if row not in covered and row not in NO_CHECK and not (later and later[0].startswith("later"))]


def _copy(folder):
    folder.mkdir()
    for name in ("alipay_mapi", "tests", "fixtures"):
        shutil.copytree(str(CHECKOUT / name), str(folder / name), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "conftest.py"):
        if (CHECKOUT / name).exists():
            shutil.copy(str(CHECKOUT / name), str(folder / name))
    return folder


@contextmanager
def _process(folder):
    """What one mutant has compiled is there for the next; nobody looks for the shortest of the examples that fail."""
    environment = dict(os.environ, PYTHONPATH=str(folder), ALIPAY_MAPI_EXAMPLES="mutants")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen([sys.executable, "tests/mutants_process.py"], cwd=str(folder), env=environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True) as process:
        yield process   # it ends at the end of its input


def _try(mutant, tests, workers):
    rows, file, *edits = mutant
    whole = (CHECKOUT / "alipay_mapi" / file).read_text(encoding="utf-8")
    changed = whole
    for old, new in zip(edits[::2], edits[1::2]):
        if changed.count(old) != 1:
            return "not there once" if old not in changed else "there more than once"
        changed = changed.replace(old, new)
    names = _tests(rows, file, tests)
    if not names:
        return "no tests"
    folder, process = workers.get()
    target = folder / "alipay_mapi" / file
    times = target.stat()
    try:
        target.write_text(changed, encoding="utf-8")
        # Python takes what it has compiled before where size and time of the source are the same: no mutant's may be.
        os.utime(str(target), (next(_TIMES),) * 2)
        process.stdin.write(json.dumps(_ARGUMENTS + names) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
    finally:
        target.write_text(whole, encoding="utf-8")
        os.utime(str(target), ns=(times.st_atime_ns, times.st_mtime_ns))
        workers.put((folder, process))
    return {"0": "survived", "1": "noticed", "late": "noticed"}.get(answer, "unusable, exit {}".format(answer))


if __name__ == "__main__":
    sys.exit(main())
