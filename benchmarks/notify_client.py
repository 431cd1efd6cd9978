"""What posts to the shops of ``notify_load.py``: as a program, a process of its own that prints one line of JSON.

    python benchmarks/notify_client.py all PORT FIRST COUNT CONNECTIONS     each genuine one, once
    python benchmarks/notify_client.py flood PORT SECONDS CONNECTIONS       forged ones, as many as the machine gives
    python benchmarks/notify_client.py steady PORT FIRST SECONDS RATE       genuine ones, so many a second
"""
import json
import socket
import sys
import threading
import time

import notify_messages

LIMIT = 60      # seconds that an answer may take


def post(port, merchant, body):
    """(status, body of the answer, seconds) over a connection of its own; what goes wrong is status 0."""
    began = time.perf_counter()
    head = ("POST /alipay/notify/{}/ HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
            "Connection: close\r\n\r\n").format(merchant, port, notify_messages.CONTENT_TYPE, len(body))
    status, parts = 0, []
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
            connection.sendall(head.encode("ascii") + body)
            while True:
                part = connection.recv(65536)
                if not part:
                    break
                parts.append(part)
        answer = b"".join(parts)
        status = int(answer.split(b" ", 2)[1])
    except (OSError, IndexError, ValueError) as err:
        return 0, type(err).__name__.encode(), time.perf_counter() - began
    return status, answer.partition(b"\r\n\r\n")[2], time.perf_counter() - began


def threads(count, work):
    running = [threading.Thread(target=work) for _ in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def summary(answers, seconds):
    """``answers``: of ``post``."""
    took, verdicts = sorted(answer[2] for answer in answers), {}
    for status, body, _ in answers:
        said = "{} {}".format(status, body[:40].decode("latin-1"))
        verdicts[said] = verdicts.get(said, 0) + 1
    if not took:
        return {"count": 0, "seconds": seconds, "answers": {}}
    return {"count": len(took), "seconds": seconds, "answers": verdicts, "p50": took[len(took) // 2],
            "p99": took[min(len(took) - 1, len(took) * 99 // 100)], "worst": took[-1]}


def each(port, messages, connections):
    """All of them, by so many connections at a time."""
    left, answers = iter(messages), []

    def work():
        for merchant, body in iter(lambda: next(left, (None, None)), (None, None)):
            answers.append(post(port, merchant, body))
    began = time.perf_counter()
    threads(connections, work)
    return summary(answers, time.perf_counter() - began)


def flood(port, seconds, connections):
    messages, answers, began = notify_messages.forged(600), [], time.perf_counter()

    def work():
        at = hash(threading.current_thread().name)
        while time.perf_counter() - began < seconds:
            at += 1
            answers.append(post(port, *messages[at % len(messages)]))
    threads(connections, work)
    return summary(answers, time.perf_counter() - began)


def steady(port, messages, rate):
    """One at its moment, whatever became of the one before."""
    answers, running, began = [], [], time.perf_counter()
    for at, (merchant, body) in enumerate(messages):
        time.sleep(max(0.0, began + at / rate - time.perf_counter()))
        running.append(threading.Thread(target=lambda *message: answers.append(post(port, *message)),
                                        args=(merchant, body)))
        running[-1].start()
    for thread in running:
        thread.join()
    return summary(answers, time.perf_counter() - began)


def main(what, port, *values):
    if what == "all":
        first, count, connections = (int(value) for value in values)
        found = each(int(port), notify_messages.genuine(first, count), connections)
    elif what == "flood":
        found = flood(int(port), float(values[0]), int(values[1]))
    else:
        first, seconds, rate = int(values[0]), float(values[1]), float(values[2])
        found = steady(int(port), notify_messages.genuine(first, int(seconds * rate)), rate)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
