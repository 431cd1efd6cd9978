"""What is outside of the shop's workers, each in a process of its own: the gateway, and the recorder of effects.

Both answer one line of JSON with one line of JSON, on a socket. The recorder appends what it is told, and what the
store holds of it at that moment; it merges nothing.
"""
import datetime
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback

ENDS_AFTER = 900    # seconds; nothing of a harness that was itself killed stays


def fork(work, *args):
    """A process that runs ``work`` and ends without a word to the parent's objects. Its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work(*args)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def listener(path):
    """Made before the process that serves it, so that nobody has to wait for it."""
    one = socket.socket(socket.AF_UNIX)
    one.bind(path)
    one.listen(64)
    return one


def serve(listening, answer):
    """Answer every line on every connection, one after the other, as long as the parent lives."""
    parent, until = os.getppid(), time.monotonic() + ENDS_AFTER
    rest = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while os.getppid() == parent and time.monotonic() < until:
            for key, _ in selector.select(2.0):
                one = key.fileobj
                if one is listening:
                    one, _ = listening.accept()
                    selector.register(one, selectors.EVENT_READ)
                    rest[one] = b""
                    continue
                try:
                    data = one.recv(1 << 16)
                    lines = (rest[one] + data).split(b"\n")
                    rest[one] = lines.pop()
                    for line in lines:
                        one.sendall(json.dumps(answer(json.loads(line.decode("ascii")))).encode("ascii") + b"\n")
                except OSError:     # its worker was killed
                    data = b""
                if not data:
                    selector.unregister(one)
                    one.close()
                    del rest[one]


class Line:
    """A connection to one of the two. ``ask``: a value for a value."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")

    def ask(self, **said):
        self._socket.sendall(json.dumps(said).encode("ascii") + b"\n")
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise RuntimeError("the other side has ended")
        return json.loads(line.decode("ascii"))

    def close(self):
        self._file.close()
        self._socket.close()


def recorder(path, look):
    """The answer function of the recorder: a line in ``path`` for each message, in the order in which they came.
    ``look``: what the store holds of a key at that moment, read past the library."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def answer(said):
        if said["said"] == "effect":
            said["stored"] = look(said["key"])
        os.write(file, json.dumps(said).encode("ascii") + b"\n")
        return True
    return answer


class Gateway:
    """The emulator, its buyers, and the post that brings notifications."""

    def __init__(self, seed, plan, keys):
        from alipay_mapi.emulator import Emulator, refunds
        from alipay_mapi.emulator.notifier import Answered
        # Its clock stands still, and the worker's own 3 seconds between two refunds are shortened.
        refunds.SPACING = datetime.timedelta(0)
        self.plan, self.post, self.asked, self.points = plan, [], [], []
        self.wished, self.watched, self.late = set(), False, [one for one in plan if one["late"]]

        def sender(delivery):
            notes = next(one["notes"] for one in plan if one["number"] == delivery.out_trade_no)
            self.post.append({"body": delivery.body.decode("latin-1"), "content_type": delivery.content_type,
                              "number": delivery.out_trade_no, "left": notes})
            return Answered(200, "success")
        self.emulator = Emulator(seed=seed, frozen=True, notify_url="https://shop.example.test/notify", sender=sender,
                                 keys=keys)
        for one in plan:
            if one["kind"] == "never":
                continue
            self.emulator.place(one["number"], subject="Tea", **one["asked_price"])
            if one["kind"] == "closed" or one["late"]:
                self.emulator.log_in(one["number"])
            if one["kind"] == "closed":
                self.emulator.close_trade(one["number"])
            elif not one["late"]:
                self.emulator.pay(one["number"], lose=not one["notes"])
        self.emulator.deliver()

    def answer(self, said):
        return getattr(self, "on_" + said.pop("op"))(**said)

    def on_send(self, method, url, body, now, worker):
        from alipay_mapi.emulator.incoming import Incoming
        outcome = self.emulator.answer(Incoming(method, url.partition("?")[2].encode("ascii"),
                                                body.encode("latin-1")))
        content = {name: value for name, value in outcome.params.items() if name not in ("sign", "sign_type")}
        self.asked.append((outcome.service, content, now, worker))
        reply = outcome.reply
        return {"status": reply.status, "content_type": reply.content_type, "body": reply.body.decode("latin-1")}

    def on_mail(self):
        return [dict(one, id=at) for at, one in enumerate(self.post) if one["left"]]

    def on_acknowledged(self, id):
        # Two workers may have brought the same one.
        self.post[id]["left"] = max(0, self.post[id]["left"] - 1)

    def on_wished(self, out_return_no):
        self.wished.add(out_return_no)

    def on_watched(self):
        self.watched = True

    def on_points(self, worker, labels):
        self.points.append((worker, labels))

    def on_buyers(self):
        """Those who had only logged in pay now."""
        for one in self.late:
            self.emulator.pay(one["number"], lose=not one["notes"])
        self.late = []
        self.emulator.deliver()

    def on_left(self):
        """What the shop's front has still to do."""
        wishes = {number for one in self.plan for number, _ in one["refunds"]}
        return {"watch": not self.watched, "buyers": len(self.late), "post": sum(one["left"] for one in self.post),
                "wishes": sorted(wishes - self.wished)}

    def on_truth(self):
        """Order → the effects that the books imply, each as [kind, detail]; and the rest that the rules look at."""
        ledger = self.emulator.ledger
        effects, given_back = {}, {}
        for one in self.plan:
            trade = ledger.one("trades", out_trade_no=one["number"]) or {}
            effects[one["number"]] = expected = []
            if not trade.get("gmt_payment"):
                expected.append(("closed", ""))
                continue
            if trade["cny"] != one["price"].get("rmb_fee", trade["cny"]):
                expected.append(("needs_a_person", "AmountMismatch"))
                continue
            expected.append(("paid", ""))
            refunds = ledger.rows("refunds", out_trade_no=one["number"])
            given_back[one["number"]] = [(row["out_return_no"], row["amount"], row["refund_status"])
                                         for row in refunds]
            expected += [("refunded", row["out_return_no"]) for row in refunds]
            if refunds and float(trade["to_buyer_fee"]) >= float(trade["cny"]):
                expected.append(("refunded", ""))
        return {"effects": effects, "refunds": given_back, "asked": self.asked, "points": self.points}
