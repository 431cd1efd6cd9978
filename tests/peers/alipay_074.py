"""A shop on PyPI's ``alipay`` 0.7.4, for ``run_alipay_074.py``: needs that package, and nothing of ours.

The first line of the standard input is the shop's settings; each further line is one thing to do, and is answered by
a line of JSON. Only the two addresses in the peer are changed. Its notify page is the way its README has it:
``verify_notify`` (with the remote check) decides between ``success`` and ``fail``.
"""
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

import alipay
import requests

# The peer prints while it works.
answers, sys.stdout = sys.stdout, sys.stderr
#: What came to the notify page.
notifications = []


def main():
    settings = json.loads(sys.stdin.readline())
    alipay.Alipay.GATEWAY_URL = settings["gateway"]
    alipay.Alipay.NOTIFY_GATEWAY_URL = settings["gateway"] + "?service=notify_verify&partner=%s&notify_id=%s"
    peer = alipay.Alipay(settings["partner"], settings["md5_key"], seller_email=settings["seller_email"])
    page = HTTPServer(("127.0.0.1", 0), notify_page(peer))
    threading.Thread(target=page.serve_forever, daemon=True).start()
    say({"notify_url": "http://127.0.0.1:{}/notify".format(page.server_port)})
    for text in sys.stdin:
        todo = json.loads(text)
        try:
            say({"call": call, "open": browse, "list": lambda _, __: list(notifications)}[todo["do"]](peer, todo))
        except Exception as err:
            say({"raised": type(err).__name__})


def say(what):
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def call(peer, todo):
    """The result of one of the peer's methods."""
    result = getattr(peer, todo["name"])(**todo["params"])
    return result.text if isinstance(result, requests.Response) else result


def browse(_, todo):
    """What a browser sees at an address: where it is sent on to, or the page's code or last words."""
    answer = requests.get(todo["url"], allow_redirects=False)
    seen = re.findall(r'id="?(error|done)"?[^>]*>\s*([^<]*?)\s*<', answer.text)
    return {"status": answer.status_code, "location": answer.headers.get("Location"), "seen": dict(seen),
            "text": answer.text if answer.headers.get("Content-Type", "").startswith("text/xml") else ""}


def notify_page(peer):
    class Page(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
            fields = dict(parse_qsl(body, keep_blank_values=True))
            verified = peer.verify_notify(**fields)
            notifications.append({"fields": fields, "verified": verified})
            text = b"success" if verified else b"fail"
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    return Page


if __name__ == "__main__":
    main()
