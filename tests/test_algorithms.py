"""sign_type → algorithm, against vectors, ``hashlib``, the ``openssl`` command, and every misspelling of a sign."""
import ast
import base64
import hashlib
import hmac
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backends
import respell
from alipay_mapi import algorithms, crypto, keys
from alipay_mapi.crypto import pycryptodome
from alipay_mapi.errors import AlipayError, MalformedSignature
from openssl_command import accepts, openssl
from signing_fixtures import der as key_der
from signing_fixtures import key_file, names, pem, vectors

backend = backends.backend

MD5, RSA, RSA2, DSA = vectors("md5"), vectors("rsa"), vectors("rsa2"), vectors("dsa")
ASYMMETRIC = [("RSA", row) for row in RSA] + [("RSA2", row) for row in RSA2] + [("DSA", row) for row in DSA]
OURS = [(sign_type, row) for sign_type, row in ASYMMETRIC if "private_key" in row and row["expect"] == "valid"]
KEYS = {"RSA": "rsa1024", "RSA2": "rsa2048", "DSA": "dsa1024"}
TEXTS = [("utf-8", "subject=中文 + % é 😀"), ("gbk", "subject=支付宝測試 100%"), ("gb2312", "subject=支付宝测试"),
         ("gb18030", "subject=㐀 é 😀")]
MD5_KEY = "abcdefghijklmnopqrstuvwxyz012345"


def ids(rows):
    return [row["id"] for _, row in rows]


def kind(sign_type):
    return "DSA" if sign_type == "DSA" else "RSA"


def pair(sign_type, suffix=""):
    """(private, public) of the generated keys."""
    if sign_type == "MD5":
        key = keys.load_md5_key(MD5_KEY[::-1] if suffix else MD5_KEY)
        return key, key
    name = KEYS[sign_type] + suffix
    return (keys.load_private_key(pem(name + "-private"), kind(sign_type)),
            keys.load_public_key(pem(name + "-public"), kind(sign_type)))


@pytest.fixture(scope="module")
def pairs(backend):
    return {sign_type: pair(sign_type) for sign_type in algorithms.ALGORITHMS}


def fits(sign_type, key, data, text):
    return algorithms.verify(sign_type, [key], data, algorithms.read_sign(sign_type, text))


# --- vectors ----------------------------------------------------------------------------------------------------

def test_the_fixtures_are_all_there():
    assert (len(MD5), len(RSA), len(RSA2), len(DSA), len(OURS)) == (52, 14, 6, 4, 14)
    assert len(vectors("rsa", signer="alipay", expect="valid")) == 2
    assert len(vectors("rsa2", signer="alipay", expect="valid")) == 1


@pytest.mark.parametrize("row", MD5, ids=names(MD5))
def test_every_md5_vector(row):
    """Those of other implementations come out equal; the wrong ones do not fit. Some keys are too short for us."""
    key, data = keys.MD5Key(row["md5_key"].encode("ascii")), row["presign"].encode(row["charset"])
    assert (algorithms.sign("MD5", key, data) == row["sign"]) == (row["expect"] == "valid")
    assert fits("MD5", key, data, row["sign"]) == (row["expect"] == "valid")


@pytest.mark.parametrize("sign_type, row", ASYMMETRIC, ids=ids(ASYMMETRIC))
def test_every_vector_is_taken_or_refused(backend, sign_type, row):
    """Signed by Alipay, by other implementations, by openssl."""
    key = keys.load_public_key(row["public_key"], kind(sign_type))
    assert fits(sign_type, key, row["presign"].encode(row["charset"]), row["sign"]) == (row["expect"] == "valid")


@pytest.mark.parametrize("sign_type, row", OURS, ids=ids(OURS))
def test_every_sign_with_a_known_private_key_comes_out_equal(backend, sign_type, row):
    key = keys.load_private_key(row["private_key"], kind(sign_type))
    assert algorithms.sign(sign_type, key, row["presign"].encode(row["charset"])) == row["sign"]


# --- against hashlib and openssl --------------------------------------------------------------------------------

@pytest.mark.parametrize("charset, text", TEXTS)
def test_md5_is_the_one_line_of_hashlib(charset, text):
    data = text.encode(charset)
    wanted = hashlib.md5(data + MD5_KEY.encode("ascii")).hexdigest()
    assert algorithms.sign("MD5", keys.load_md5_key(MD5_KEY), data) == wanted
    assert fits("MD5", keys.load_md5_key(MD5_KEY), data, wanted)


@pytest.mark.parametrize("charset, text", TEXTS)
@pytest.mark.parametrize("sign_type, digest", [("RSA", "sha1"), ("RSA2", "sha256"), ("DSA", "sha1")])
def test_openssl_and_we_accept_each_other(pairs, tmp_path, sign_type, digest, charset, text):
    private, public = pairs[sign_type]
    data, name = text.encode(charset), KEYS[sign_type]
    ours = base64.b64decode(algorithms.sign(sign_type, private, data))
    assert accepts(digest, key_file(name + "-public"), data, ours, tmp_path)
    assert not accepts(digest, key_file(name + "-public"), data + b"0", ours, tmp_path)
    theirs = openssl("dgst", "-" + digest, "-sign", key_file(name + "-private"), stdin=data)
    assert fits(sign_type, public, data, base64.b64encode(theirs).decode("ascii"))
    assert not fits(sign_type, public, data + b"0", base64.b64encode(theirs).decode("ascii"))


def test_a_dsa_key_of_openssl_3_signs_and_checks(backend, tmp_path):
    """``openssl dsaparam 1024`` makes a q of 224 bits, which pycryptodome's FIPS mode refused at the first sign."""
    private = keys.load_private_key(pem("dsa1024-q224-private"), "DSA")
    sign = base64.b64decode(algorithms.sign("DSA", private, b"a=1"))
    assert accepts("sha1", key_file("dsa1024-q224-public"), b"a=1", sign, tmp_path)
    public = keys.load_public_key(pem("dsa1024-q224-public"), "DSA")
    assert algorithms.verify("DSA", [public], b"a=1", sign)
    assert not algorithms.verify("DSA", [public], b"a=2", sign)


@pytest.mark.skipif(len(backends.INSTALLED) < 2, reason="needs both back ends")
@pytest.mark.parametrize("sign_type", ["RSA", "RSA2", "DSA"])
def test_one_back_end_accepts_what_the_other_signs(sign_type, monkeypatch):
    private, public = pair(sign_type)
    for first, second in (backends.NAMES, backends.NAMES[::-1]):
        monkeypatch.setattr(crypto, "backend", lambda name=first: backends.load(name))
        sign = algorithms.sign(sign_type, private, b"a=1")
        monkeypatch.setattr(crypto, "backend", lambda name=second: backends.load(name))
        assert fits(sign_type, public, b"a=1", sign)
        assert not fits(sign_type, public, b"a=2", sign)


def test_several_keys_may_fit_while_alipay_changes_them(backend):
    old, new = pair("RSA2")[1], pair("RSA2", "-other")[1]
    sign = algorithms.sign("RSA2", pair("RSA2", "-other")[0], b"a=1")
    raw = algorithms.read_sign("RSA2", sign)
    assert algorithms.verify("RSA2", [old, new], b"a=1", raw)
    assert not algorithms.verify("RSA2", [old], b"a=1", raw)
    assert not algorithms.verify("RSA2", [], b"a=1", raw)


def test_key_kind_names_the_key_of_each_sign_type():
    assert [algorithms.key_kind(name) for name in ("MD5", "RSA", "RSA2", "DSA")] == ["MD5", "RSA", "RSA", "DSA"]


# --- the spelling of a sign -------------------------------------------------------------------------------------

def spelled(raw):
    return base64.b64encode(raw).decode("ascii")


#: 128 bytes whose base64 has + and / in it, and ends in one "="
RAW = bytes(range(251, 256)) * 25 + b"\xfb\xff\xbf"
TEXT = spelled(RAW)


def refused(sign_type, text):
    with pytest.raises(MalformedSignature) as caught:
        algorithms.read_sign(sign_type, text)
    assert text == "" or text not in str(caught.value)
    return True


def test_T08_plain_base64_is_read():
    assert "+" in TEXT and "/" in TEXT and TEXT.endswith("=")
    assert algorithms.read_sign("RSA2", TEXT) == algorithms.read_sign("DSA", TEXT) == RAW


@pytest.mark.parametrize("text", [
    TEXT[:20] + "!" + TEXT[20:], TEXT[:20] + "\n" + TEXT[20:], TEXT[:76] + "\r\n" + TEXT[76:], TEXT + "\n", "\t" + TEXT,
    TEXT + "junk", TEXT + "=", TEXT + "==", TEXT + TEXT, "=" + TEXT, TEXT[:4] + "=" + TEXT[4:],
    TEXT.replace("+", "-").replace("/", "_"), TEXT.rstrip("="), TEXT[:-2], TEXT[1:], TEXT + "\0",
    TEXT[:8] + "\0" + TEXT[8:],
    "'" + TEXT + "'", TEXT.replace("=", "%3D"), TEXT.replace("+", "%2B"), RAW.hex(), "=", "====", "A", "AA", "AAA",
    "A" * 4100, "A" * 1000000,
], ids=lambda text: repr(text[:12] + ".." + text[-6:]))
def test_T08_another_spelling_is_refused(text):
    for sign_type in ("RSA", "RSA2", "DSA"):
        if not (text == RAW.hex() and len(text) % 4 == 0):
            assert refused(sign_type, text)


def test_T08_hex_reads_as_other_bytes_at_best():
    assert algorithms.read_sign("RSA2", RAW.hex()) != RAW


@pytest.mark.parametrize("text", [
    "签名", TEXT[:-2] + "é=", "\udcff" + TEXT[1:], "\uff21" + TEXT[1:], "\u2028"], ids=ascii)
def test_T07_a_sign_outside_ascii_is_refused(text):
    for sign_type in algorithms.ALGORITHMS:
        assert refused(sign_type, text)


def test_T09_spare_bits_that_are_not_zero_are_refused():
    """``b64decode(…, validate=True)`` takes each of these for the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for raw in (RAW, RAW[:-1]):
        text = spelled(raw)
        position = len(text.rstrip("=")) - 1
        spare = 4 if text.endswith("==") else 2
        same = [text[:position] + letter + text[position + 1:] for letter in alphabet
                if alphabet.index(letter) >> spare.bit_length() - 1 + (spare == 4) ==
                alphabet.index(text[position]) >> spare.bit_length() - 1 + (spare == 4)]
        read = [other for other in same if base64.b64decode(other, validate=True) == raw]
        assert len(read) > 1
        assert algorithms.read_sign("RSA2", text) == raw
        assert all(refused("RSA2", other) for other in read if other != text)


def test_T10_a_blank_was_a_plus_and_nothing_else_is_mended(pairs):
    private, public = pairs["RSA2"]
    number = 0
    while True:
        data = b"out_trade_no=%d" % number
        sign = algorithms.sign("RSA2", private, data)
        if "+" in sign and "/" in sign:
            break
        number += 1
    assert fits("RSA2", public, data, sign)
    assert fits("RSA2", public, data, sign.replace("+", " "))
    for wrong in (sign.replace("+", "\t"), sign.replace("+", "%20"), sign.replace("+", "-"), sign.replace("/", "_"),
                  " " + sign, sign + " "):
        assert refused("RSA2", wrong)


@pytest.mark.parametrize("sign", ["", "0", "0e", "0" * 31, "0" * 33, "A" * 32, "g" * 32, " " + "a" * 31,
                                  "a" * 32 + "\n", "a" * 31 + "\0", "٠" * 32, "0x" + "a" * 30, "a" * 64,
                                  "0e2241".ljust(32)], ids=repr)
def test_T14_an_md5_sign_is_32_small_hex_digits(sign):
    assert refused("MD5", sign)


def test_T14_hex_in_capitals_or_another_number_is_refused(pairs):
    key = pairs["MD5"][0]
    sign = algorithms.sign("MD5", key, b"a=1")
    assert fits("MD5", key, b"a=1", sign)
    assert sign != sign.upper() and refused("MD5", sign.upper())
    assert not fits("MD5", key, b"a=1", "0" * 32)


def test_T14_numbers_that_look_alike_are_not_equal():
    """``0e…`` compares equal to ``0`` where a language reads digits as numbers; found by search, 62 million tries."""
    key = keys.MD5Key(b"x")
    data, number = b"", 0
    while not hashlib.md5(data + b"x").hexdigest().startswith("0e"):
        number += 1
        data = str(number).encode("ascii")
    assert fits("MD5", key, data, hashlib.md5(data + b"x").hexdigest())
    assert not fits("MD5", key, data, "0e" + "0" * 30)


# --- constant time ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("module", ["algorithms", "signing", "crypto.pycryptodome", "crypto.cryptography"])
def test_T15_no_sign_digest_or_secret_is_compared_with_equals(module):
    path = inspect.getfile(algorithms).replace("algorithms.py", module.replace(".", "/") + ".py")
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.In, ast.NotIn)):
            words = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            words |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
            if getattr(getattr(node.left, "func", None), "id", "") == "len" or "spelling" in words:
                continue  # a length; a received text with itself: nothing that its sender does not know
            assert not words & {"sign", "sign_text", "signature", "raw", "digest", "hexdigest", "secret", "key", "_md5",
                                "wanted", "tail"}, ast.dump(node)


@pytest.mark.parametrize("function", [algorithms.verify, pycryptodome.verify])
def test_T15_the_comparison_is_compare_digest(function):
    calls = [node.func.attr for node in ast.walk(ast.parse(inspect.getsource(function)))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    assert calls.count("compare_digest") == 1


def test_T15_the_verdict_is_that_of_compare_digest(monkeypatch):
    """With its answer turned round the verdict turns round, and what it gets is bytes (on text it raises)."""
    seen = []

    def turned(left, right):
        seen.append((type(left), type(right), len(left) == len(right)))
        return not genuine(left, right)

    genuine = hmac.compare_digest
    monkeypatch.setattr(crypto, "backend", lambda: pycryptodome)
    for sign_type in ("MD5", "RSA", "RSA2"):
        private, public = pair(sign_type)
        sign = algorithms.sign(sign_type, private, b"a=1")
        assert fits(sign_type, public, b"a=1", sign) and not fits(sign_type, public, b"a=2", sign)
        monkeypatch.setattr(hmac, "compare_digest", turned)
        assert not fits(sign_type, public, b"a=1", sign) and fits(sign_type, public, b"a=2", sign)
        monkeypatch.setattr(hmac, "compare_digest", genuine)
    assert seen == [(bytes, bytes, True)] * 6


# --- properties -------------------------------------------------------------------------------------------------

def flipped(data, bit):
    """``data`` with one bit changed, counted round and round."""
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


SIGN_TYPES = st.sampled_from(sorted(algorithms.ALGORITHMS))
CHARSETS = st.sampled_from(["utf-8", "gbk", "gb2312", "gb18030"])


@given(SIGN_TYPES, CHARSETS, st.binary(max_size=60))
def test_what_we_sign_verifies(pairs, sign_type, charset, noise):
    """Property 1: any algorithm, any charset, any text."""
    data = ("subject=" + noise.decode(charset, "ignore")).encode(charset)
    private, public = pairs[sign_type]
    assert fits(sign_type, public, data, algorithms.sign(sign_type, private, data))


@given(SIGN_TYPES, st.binary(min_size=1, max_size=60), st.integers(0, 1 << 20))
def test_one_bit_of_the_text_or_of_the_sign_is_enough(pairs, sign_type, data, bit):
    """Property 2, body and sign."""
    private, public = pairs[sign_type]
    sign = algorithms.sign(sign_type, private, data)
    assert not fits(sign_type, public, flipped(data, bit), sign)
    assert not algorithms.verify(sign_type, [public], data, flipped(algorithms.read_sign(sign_type, sign), bit))


@pytest.fixture(scope="module")
def signs(pairs):
    return {sign_type: algorithms.sign(sign_type, private, b"a=1") for sign_type, (private, _) in pairs.items()}


@given(st.sampled_from(["RSA", "RSA2", "DSA"]), st.integers(0, 1 << 20))
def test_one_bit_of_the_public_key_is_enough(signs, sign_type, bit):
    """Property 2, key: it is refused at configuration, or it fits nothing."""
    try:
        public = keys.load_public_key(flipped(key_der(KEYS[sign_type] + "-public"), bit), kind(sign_type))
    except AlipayError:
        return
    assert not fits(sign_type, public, b"a=1", signs[sign_type])


def test_one_bit_of_the_md5_key_is_enough():
    """Property 2, MD5 key: each of its 256 bits."""
    sign = algorithms.sign("MD5", keys.load_md5_key(MD5_KEY), b"a=1")
    loaded = 0
    for bit in range(256):
        try:
            key = keys.load_md5_key(flipped(MD5_KEY.encode("ascii"), bit))
        except AlipayError:
            continue
        loaded += 1
        assert not fits("MD5", key, b"a=1", sign)
    assert loaded > 128


@given(SIGN_TYPES, st.integers(0, 1000),
       st.text(max_size=2) | st.sampled_from(["\n", "\r\n", "=", "==", " ", "-", "A"]),
       st.integers(0, 2), st.sampled_from([str, str.swapcase, str.strip]))
def test_T08_no_sign_has_two_spellings(signs, sign_type, position, inserted, dropped, change):
    """Property 10: another text is refused, or reads as other bytes. The blank for a plus is the one exception."""
    sign = signs[sign_type]
    position %= len(sign) + 1
    other = change(sign[:position] + inserted + sign[position + dropped:])
    if other == sign or other.replace(" ", "+") == sign:
        return
    try:
        assert algorithms.read_sign(sign_type, other) != algorithms.read_sign(sign_type, sign)
    except MalformedSignature:
        pass


@given(SIGN_TYPES, st.text(max_size=200) | st.binary(max_size=150).map(spelled))
def test_T07_any_text_as_a_sign_gets_a_verdict(pairs, sign_type, text):
    """Property 7, for this layer: bytes, or MalformedSignature; and a stranger's sign fits nothing."""
    try:
        raw = algorithms.read_sign(sign_type, text)
    except MalformedSignature:
        return
    assert not algorithms.verify(sign_type, [pairs[sign_type][1]], b"a=1", raw)


@given(st.integers(0, 1 << 20))
def test_T13_no_dsa_signature_has_two_spellings(pairs, signs, number):
    """Property 11."""
    public = pairs["DSA"][1]
    genuine = algorithms.read_sign("DSA", signs["DSA"])
    size = genuine[3]
    r, s = genuine[4:4 + size], genuine[6 + size:]
    wrong = [found for _, found in respell.respellings((0x30, [(0x02, r), (0x02, s)]))]
    assert algorithms.verify("DSA", [public], b"a=1", genuine)
    assert not algorithms.verify("DSA", [public], b"a=1", wrong[number % len(wrong)])
