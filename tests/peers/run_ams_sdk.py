"""Do we and Alipay's ``global-open-sdk-python`` sign alike, and believe each other? Run by hand or by CI; needs a
package index.

The SDK has an environment of its own, without our package. Each line is one observation; the exit status is 1 if one is
not as expected. Lines that begin with "the peer" are faults of its own, kept so that nobody looks for them here.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from alipay_mapi.errors import AlipayError
from alipay_mapi.migration.ams import Account, verify_answer
from alipay_mapi.migration.ams.requests import sign_request

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "fixtures" / "migration"
VERSION = "1.7.1"
PATH, TIME = "/ams/api/v1/payments/inquiryPayment", "2026-05-12T12:12:14+08:00"
#: Bodies on which two serialisers or two charsets would part.
BODIES = ("{}", '{"a":"茶 & \\u8336"}', '{ "a" : [1, 2.50, true] }\n', '{"a":"+/=%2F"}', '{"a":"' + "é" * 5000 + '"}')


class Peer:
    """The process in the SDK's environment."""

    def __init__(self, python):
        self.process = subprocess.Popen([python, "-I", str(HERE / "ams_sdk.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)

    def ask(self, what, *arguments):
        self.process.stdin.write(json.dumps({"do": what, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Checks:
    """One line per observation."""

    def __init__(self):
        self.wrong = 0

    def __call__(self, what, got, expected):
        if got == expected:
            print("ok     {}".format(what))
        else:
            self.wrong += 1
            print("WRONG  {}: {!r}, expected {!r}".format(what, got, expected))


def environment(folder):
    """The interpreter of a new environment with the SDK in it."""
    subprocess.check_call([sys.executable, "-m", "venv", folder])
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")
    subprocess.check_call([python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
                           "global-open-sdk-python==" + VERSION])
    return python


def pem(name):
    return (FIXTURES / "TEST-ONLY-ams-{}.pem".format(name)).read_text(encoding="ascii")


def bare(name):
    """The key as the SDK wants it: base64 of SPKI, or of PKCS#1 (it puts those markers around whatever it is given)."""
    account = Account("C", private_key=pem(name)) if "private" in name else Account("C", alipay_public_key=pem(name))
    if "private" in name:
        return base64.b64encode(account.private_key.export("PKCS#1")).decode("ascii")
    return base64.b64encode(account.alipay_public_key[0].export("SPKI")).decode("ascii")


def signatures(peer, check):
    """The same bytes get the same signature: PKCS#1 v1.5 is deterministic."""
    ours = Account("CLIENT001", private_key=pem("merchant-private"))
    private, public = bare("merchant-private"), bare("merchant-public")
    samples = json.loads((FIXTURES / "ams_requests.json").read_text(encoding="utf-8"))
    rows = [(one["id"], one["path"], one["client_id"], one["request_time"], one["body"]) for one in samples]
    rows += [("body {}".format(number), PATH, "CLIENT001", "1754980200123", body) for number,
             body in enumerate(BODIES, 1)]
    for name, path, client_id, time, body in rows:
        account = ours if client_id == "CLIENT001" else Account(client_id, private_key=pem("merchant-private"))
        request = sign_request(account, path, time, body.encode("utf-8"))
        value = request.headers["Signature"].partition("signature=")[2]
        check("{}: the same signature".format(name), peer.ask("sign", "POST", path, client_id, time, body, private),
              value)
        check("{}: the SDK verifies ours".format(name),
              peer.ask("verify", "POST", path, client_id, time, body, value, public), True)


def answers(peer, check):
    """Answers that the SDK signs, as AMS would: ours believes the genuine ones and no other."""
    account = Account("CLIENT001", alipay_public_key=pem("platform-public"))
    private, public = bare("platform-private"), bare("platform-public")
    body = '{"result":{"resultStatus":"S","resultCode":"SUCCESS"},"paymentStatus":"SUCCESS","note":"茶"}'

    def believed(value, path=PATH, client_id="CLIENT001", time=TIME, text=body):
        headers = {"client-id": client_id, "response-time": time,
                   "signature": "algorithm=RSA256,keyVersion=1,signature=" + value}
        try:
            return verify_answer(account, path, headers, text.encode("utf-8")).signed
        except AlipayError as error:
            return type(error).__name__

    value = peer.ask("sign", "POST", PATH, "CLIENT001", TIME, body, private)
    check("an answer that the SDK signed", believed(value), True)
    check("another body", believed(value, text=body.replace("SUCCESS", "FAIL")), "ResponseSignatureInvalid")
    check("another path", believed(value, path=PATH + "x"), "ResponseSignatureInvalid")
    check("another time", believed(value, time="2026-05-12T12:12:15+08:00"), "ResponseSignatureInvalid")
    other = peer.ask("sign", "POST", PATH, "CLIENT002", TIME, body, private)
    check("another client", believed(other, client_id="CLIENT002"), "PartyMismatch")
    content = "POST {}\nCLIENT001.{}.{}".format(PATH, TIME, body).encode("utf-8")
    for digest in ("sha1", "md5"):
        raw = subprocess.run(["openssl", "dgst", "-" + digest, "-sign",
                              str(FIXTURES / "TEST-ONLY-ams-platform-private.pem")],
                             input=content, stdout=subprocess.PIPE, check=True).stdout
        weak = quote(base64.b64encode(raw).decode("ascii"), safe="")
        check("a signature over {}".format(digest), believed(weak), "ResponseSignatureInvalid")
        check("the peer believes a signature over {}".format(digest),
              peer.ask("verify", "POST", PATH, "CLIENT001", TIME, body, weak, public), True)


def main():
    check = Checks()
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(sys.argv[1] if len(sys.argv) > 1 else environment(folder))
        try:
            signatures(peer, check)
            answers(peer, check)
        finally:
            peer.close()
    print("{} not as expected".format(check.wrong) if check.wrong else "all as expected")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
