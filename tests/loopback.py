"""A gateway on this machine that misbehaves on command: threads, standard library, a port chosen by the system.

``Loopback(answer, answer, …)`` gives each request the next answer, the last one for all that follow. An answer is a
function of one :class:`Exchange`: it writes bytes, waits, or breaks the connection. ``requests`` lists what arrived.
"""
import shutil
import socket
import ssl
import subprocess
import threading


class Seen:
    """One request as it arrived: ``method``, ``target`` (path and query), ``headers`` (lower case), ``body``."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body


class Exchange:
    """What an answer may do with one request."""

    def __init__(self, sock, seen, stopped):
        self.sock, self.seen, self.stopped, self.keep = sock, seen, stopped, True

    def write(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.keep = False

    def wait(self, seconds):
        """Until the client has gone, the server stops, or ``seconds`` are over."""
        self.sock.settimeout(min(seconds, 5))
        try:
            self.keep = bool(self.sock.recv(1))
        except socket.timeout:
            pass
        except OSError:
            self.keep = False

    def reset(self):
        """Break the connection with RST, not with an orderly end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.keep = False


def http(body=b"", status=200, length=None, **headers):
    """An orderly answer, as bytes. ``length``: what Content-Length claims, False to leave it out."""
    lines = ["HTTP/1.1 {} Whatever".format(status)]
    if length is not False:
        lines.append("Content-Length: {}".format(len(body) if length is None else length))
    lines += ["{}: {}".format(name.replace("_", "-"), value) for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def says(data, then_close=False):
    """Write ``data`` (see :func:`http`)."""
    def answer(exchange):
        exchange.write(data)
        exchange.keep = exchange.keep and not then_close
    return answer


def hangs(after=b""):
    """Write ``after`` and then nothing."""
    def answer(exchange):
        exchange.write(after)
        exchange.wait(5)
        exchange.keep = False
    return answer


def drips(data, every=0.05):
    """One byte at a time: never silent for long, never done."""
    def answer(exchange):
        for place in range(len(data)):
            exchange.write(data[place:place + 1])
            exchange.wait(every)
            if not exchange.keep:
                return
    return answer


def resets(after=b""):
    """Write ``after``, then break the connection."""
    def answer(exchange):
        exchange.write(after)
        exchange.reset()
    return answer


class Loopback:
    """The server. Use with ``with``; ``url`` ends in ``/gateway.do``. ``tls``: paths of (certificate, key)."""

    def __init__(self, *answers, tls=None, host="127.0.0.1"):
        self.requests, self.connections = [], 0
        self._answers, self._lock, self._stopped = list(answers), threading.Lock(), threading.Event()
        self._tls = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if hasattr(ssl, "PROTOCOL_TLS_SERVER")
                                       else ssl.PROTOCOL_TLS)
            self._tls.load_cert_chain(*tls)
        self._listener = socket.socket()
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self.url = "{}://{}:{}/gateway.do".format("https" if tls else "http", host, self.port)
        self._open, self._threads = set(), []

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *exc):
        self._stopped.set()
        with self._lock:
            for sock in self._open | {self._listener}:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, work, *args):
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._stopped.is_set():
            try:
                sock = self._listener.accept()[0]
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, plain):
        sock = plain
        try:
            if self._tls:
                plain.settimeout(5)
                sock = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.add(sock)
            keep = True
            while keep and not self._stopped.is_set():
                sock.settimeout(5)
                seen = _read(sock)
                if seen is None:
                    break
                with self._lock:
                    self.requests.append(seen)
                    answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                exchange = Exchange(sock, seen, self._stopped)
                answer(exchange)
                keep = exchange.keep
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {plain, sock}
            sock.close()


def _read(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        part = sock.recv(65536)
        if not part:
            return None
        body += part
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body)


def make_certificates(folder):
    """A test CA and two leaves in ``folder``, made by openssl now: (ca, {"here": (certificate, key), "elsewhere": …}).

    ``here`` names 127.0.0.1 and localhost, ``elsewhere`` names shop.example.
    """
    if shutil.which("openssl") is None:
        raise RuntimeError("the TLS tests make their certificates with the openssl command, which is not installed")

    def run(*command):
        subprocess.run(["openssl"] + [str(part) for part in command], check=True, cwd=str(folder),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def new(name, kind, names):
        text = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN={}\n[ext]\n{}subjectKeyIdentifier=hash\n".format(
            name, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" if kind == "ca" else
            "basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectAltName={}\n".format(names))
        (folder / (name + ".cnf")).write_text(text)
        run("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", name + ".key")
        run("req", "-new", "-key", name + ".key", "-config", name + ".cnf", "-out", name + ".csr")
        signer = ["-signkey", "ca.key"] if kind == "ca" else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        run("x509", "-req", "-in", name + ".csr", "-days", "2", "-sha256", "-extfile", name + ".cnf",
            "-extensions", "ext", "-out", name + ".pem", *signer)
        return str(folder / (name + ".pem")), str(folder / (name + ".key"))

    authority = new("ca", "ca", "")[0]
    return authority, {"here": new("here", "leaf", "IP:127.0.0.1,DNS:localhost"),
                       "elsewhere": new("elsewhere", "leaf", "DNS:shop.example")}
