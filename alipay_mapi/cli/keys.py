"""``keys``: make a pair, look at a key, write it in another form. A private key is written to files, never printed."""
import base64
import hashlib
import os
import re
import textwrap
from typing import Any

from .. import der
from .. import keys as key_texts
from .. import merchant_settings
from ..errors import InvalidRequest, KeyFormatError, KeyMismatch, show
from . import exits, settings
from .output import Output

_FORMS = {"pkcs1": "PKCS#1", "pkcs8": "PKCS#8", "spki": "SPKI"}
_LABELS = {("PKCS#1", True): "RSA PRIVATE KEY", ("PKCS#8", True): "PRIVATE KEY", ("SPKI", False): "PUBLIC KEY",
           ("PKCS#1", False): "RSA PUBLIC KEY"}
_ENCODINGS = {"pem": "PEM", "der": "DER", "base64": "bare base64"}
_LARGEST = 64 * 1024
_PEM_BODY = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----(.*?)-----END", re.DOTALL)


def add(commands: Any, parents: list) -> None:
    """Add the commands to the parser."""
    group = commands.add_parser("keys", parents=parents[:1], help="make, look at and convert keys", examples=(
        "alipay-mapi keys new shop.pem", "alipay-mapi keys show shop.pem",
        "alipay-mapi keys convert shop.pem shop-pkcs1.pem --form pkcs1"))
    group.set_defaults(run=None, parser=group)
    below = group.add_subparsers(metavar="COMMAND")
    new = below.add_parser("new", parents=parents[:1], help="make a key pair in two new files",
                           examples=("alipay-mapi keys new shop.pem",))
    new.add_argument("file", metavar="FILE",
                     help="for the private key; FILE.pub gets the public one. Neither is ever overwritten")
    new.add_argument("--kind", choices=("RSA", "DSA"), default="RSA", help="RSA (default) or DSA")
    new.add_argument("--bits", type=int, choices=(1024, 2048, 3072, 4096), default=2048,
                     help="default 2048; 1024 for DSA alone")
    new.set_defaults(run=run_new, parser=new)
    look = below.add_parser("show", parents=parents[:1], help="kind, size, form, fingerprint and the public half",
                            examples=("alipay-mapi keys show shop.pem",))
    look.add_argument("file", metavar="FILE", help="a private or a public key in any form; - for stdin")
    look.set_defaults(run=run_show, parser=look)
    convert = below.add_parser("convert", parents=parents[:1], help="write a key in another form", examples=(
        "alipay-mapi keys convert shop.pem shop-pkcs1.pem --form pkcs1",
        "alipay-mapi keys convert shop.pem - --form spki --encoding base64"))
    convert.add_argument("file", metavar="FILE", help="the key, in any form; - for stdin")
    convert.add_argument("to", metavar="TO", help="a new file; - prints it, for public keys alone")
    convert.add_argument("--form", choices=sorted(_FORMS), help="default: pkcs8 for private keys, spki for public "
                         "ones; spki of a private key is its public half; pkcs1 is for RSA alone")
    convert.add_argument("--encoding", choices=("pem", "base64", "der"), default="pem", help="default pem")
    convert.set_defaults(run=run_convert, parser=convert)


def run_new(args: Any, out: Output) -> int:
    from ..crypto import pycryptodome
    if args.kind == "RSA" and args.bits < 2048 or args.kind == "DSA" and args.bits > 3072:
        raise InvalidRequest("bits: RSA from 2048, DSA up to 3072", parameter="bits")
    public_file = args.file + ".pub"
    for path in (args.file, public_file):
        if os.path.lexists(path):
            raise InvalidRequest("FILE: {} is there already; a key is never overwritten".format(show(path, 200)),
                                 parameter="FILE")
    data = pycryptodome.generate(args.kind, args.bits)
    key = key_texts.load_private_key(data, args.kind)
    _write(args.file, _encode(key.export("PKCS#8"), "PKCS#8", True, "pem"))
    _write(public_file, _encode(key.export("SPKI"), "SPKI", False, "pem"))
    out.facts((("private key", "{} (keep it; mode 0600)".format(args.file)), ("public key", public_file),
               ("kind", "{}, {} bits".format(key.kind, key.bits)), ("fingerprint", fingerprint(key))))
    _public_half(key, out)
    out.data(private_key_file=args.file, public_key_file=public_file, kind=key.kind, bits=key.bits)
    return exits.DONE


def run_show(args: Any, out: Output) -> int:
    text = _read(args.file)
    key = load(text, args.file)
    form = der.form(_der(text))
    container = "" if form is None else form.container
    encoding = "PEM" if b"-----BEGIN" in text else "DER" if der.whole(text) else "bare base64"
    out.facts((("kind", "{} {} key".format(key.kind, "private" if key.private else "public")),
               ("bits", key.bits), ("form", "{} in {}".format(container, encoding)), ("fingerprint", fingerprint(key))))
    _public_half(key, out)
    out.data(kind=key.kind, private=key.private, bits=key.bits, form=container, encoding=encoding)
    return exits.DONE


def run_convert(args: Any, out: Output) -> int:
    key = load(_read(args.file), args.file)
    form = _FORMS.get(args.form, "PKCS#8" if key.private else "SPKI")
    private = key.private and form != "SPKI"
    if (form, private) not in _LABELS or form == "PKCS#1" and key.kind != "RSA":
        raise InvalidRequest("form: {} {} key is not written as {}".format(
            "an RSA" if key.kind == "RSA" else "a DSA", "private" if key.private else "public", form),
            parameter="form")
    data = _encode(key.export(form), form, private, args.encoding)
    if args.to != "-":
        _write(args.to, data)
        out.facts((("written", args.to), ("form", "{} in {}".format(form, _ENCODINGS[args.encoding]))))
    elif private or args.encoding == "der":
        raise InvalidRequest("TO: {} is not printed; name a new file".format("a private key" if private else "DER"),
                             parameter="TO")
    else:
        out.line(data.decode("ascii").rstrip("\n"))
        out.data(key=data.decode("ascii"))
    out.data(form=form, encoding=_ENCODINGS[args.encoding], private=private, file=args.to)
    return exits.DONE


def load(text: bytes, path: str) -> key_texts.Key:
    """A key of whatever kind; messages name its file. Raises KeyFormatError, KeyEncrypted, KeyMismatch, WeakKey."""
    name = "stdin" if path == "-" else show(path, 200)
    problem = KeyMismatch("{} is neither an RSA nor a DSA key".format(name))
    for read in (key_texts.load_private_key, key_texts.load_public_key):
        for kind in ("RSA", "DSA"):
            try:
                return read(text, kind, name)
            except KeyMismatch:
                continue
    raise problem


def fingerprint(key: key_texts.Key) -> str:
    """SHA-256 of the public half's SPKI, in hex: the same for both halves of a pair."""
    return "SHA256:" + hashlib.sha256(key.export("SPKI")).hexdigest()


def _public_half(key, out):
    text = base64.b64encode(key.export("SPKI")).decode("ascii")
    out.line()
    out.heading("public half, as the merchant console takes it")
    out.line(text)
    out.data(fingerprint=fingerprint(key), public_key=text)


def _encode(data: bytes, form: str, private: bool, encoding: str) -> bytes:
    if encoding == "der":
        return data
    text = base64.b64encode(data).decode("ascii")
    if encoding == "base64":
        return text.encode("ascii") + b"\n"
    label = _LABELS[form, private]
    return "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n".format(label, "\n".join(textwrap.wrap(text, 64))).encode()


def _der(text: bytes) -> bytes:
    """The DER of a text that :func:`load` has accepted."""
    if der.whole(text):
        return text
    pem = _PEM_BODY.search(text)
    body = pem.group(1) if pem else text.lstrip(b"\xef\xbb\xbf")
    return base64.b64decode(b"".join(body.split()))


def _read(path: str) -> bytes:
    if path == "-":
        return settings.read_stdin(_LARGEST)
    data, problem = merchant_settings.read_up_to(path, _LARGEST + 1)
    if problem:
        raise InvalidRequest("FILE: cannot read {}: {}".format(show(path, 200), problem), parameter="FILE")
    if len(data) > _LARGEST:
        raise KeyFormatError("FILE: {} is too large for a key".format(show(path, 200)))
    return data


def _write(path: str, data: bytes) -> None:
    """A new file that only its owner can read. Raises InvalidRequest if there is one already."""
    problem = ""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except FileExistsError:
        problem = "it is there already; a key is never overwritten"
    except OSError as err:
        problem = err.strerror or type(err).__name__
    if problem:
        raise InvalidRequest("cannot write {}: {}".format(show(path, 200), problem), parameter="FILE")
