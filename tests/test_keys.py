"""Key text as people have it: every form taken, every mistake refused with its cause and its cure."""
import base64
import copy
import io
import logging
import pickle
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

import backends
import respell
import signing_fixtures
from alipay_mapi import Merchant, algorithms, crypto, keys
from alipay_mapi.errors import (
    AlipayError, ConfigurationError, InvalidRequest, KeyEncrypted, KeyFormatError, KeyMismatch, MissingKey, WeakKey,
)
from openssl_command import openssl
from signing_fixtures import bare, der, key_file, pem

backend = backends.backend

MD5_KEY = "abcdefghijklmnopqrstuvwxyz012345"
PAIRS = [("RSA", "rsa1024"), ("DSA", "dsa1024")]
LOADERS = {"private": keys.load_private_key, "public": keys.load_public_key}


def lines(text, width, end="\n"):
    return end.join(text[start:start + width] for start in range(0, len(text), width))


def numbers(name):
    """What ``openssl`` says the modulus (RSA) or the public number (DSA) is."""
    text = openssl("pkey", "-in", key_file(name + "-private"), "-noout", "-text").decode("ascii")
    field = "modulus:" if name.startswith("rsa") else "pub:"
    digits = ""
    for line in text.split(field)[1].splitlines()[1:]:
        if not line.startswith("    "):
            break
        digits += line.strip().replace(":", "")
    return int(digits, 16)


# --- what is taken ----------------------------------------------------------------------------------------------

def respelled(text):
    """The bare base64 of a key in the shapes that consoles, editors and mails give it."""
    yield "one line", text
    yield "64 columns", lines(text, 64)
    yield "76 columns, CRLF", lines(text, 76, "\r\n")
    yield "old Mac line ends", lines(text, 64, "\r")
    yield "blanks and tabs inside", lines(text, 10, " \t")
    yield "blank lines around", "\n\n  " + text + "\n \t\n"
    yield "byte-order mark", "\ufeff" + text
    yield "no-break and zero-width spaces", "\u00a0" + lines(text, 40, "\u200b") + "\u3000"


def wrapped(text, label):
    """PEM around the same."""
    yield "PEM", "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n".format(label, lines(text, 64))
    yield "PEM in one line", "-----BEGIN {0}-----{1}-----END {0}-----".format(label, text)
    yield "PEM, CRLF, no end of line", "\ufeff-----BEGIN {0}-----\r\n{1}\r\n-----END {0}-----".format(
        label, lines(text, 64, "\r\n"))
    yield "PEM with words before and after", "my key\n-----BEGIN {0}-----\n{1}\n-----END {0}-----\nthat was it".format(
        label, lines(text, 64))
    yield "PEM with blanks", "  -----BEGIN {0}-----  \n  {1}  \n\n-----END {0}-----  ".format(
        label, lines(text, 64, "  \n "))


def forms(name, half):
    """(container, DER, PEM label), made by openssl."""
    source = key_file(name + "-private")
    if half == "private":
        yield "PKCS#8", der(name + "-private"), "PRIVATE KEY"
        if name.startswith("rsa"):
            yield "PKCS#1", openssl("rsa", "-traditional", "-in", source, "-outform", "DER"), "RSA PRIVATE KEY"
        else:
            yield "traditional", openssl("dsa", "-in", source, "-outform", "DER"), "DSA PRIVATE KEY"
    else:
        yield "SPKI", der(name + "-public"), "PUBLIC KEY"
        if name.startswith("rsa"):
            yield "PKCS#1", openssl("rsa", "-in", source, "-RSAPublicKey_out", "-outform", "DER"), "RSA PUBLIC KEY"


@pytest.mark.parametrize("half", ["private", "public"])
@pytest.mark.parametrize("kind, name", PAIRS)
def test_T82_every_form_is_the_same_key(backend, kind, name, half):
    wanted, load, count = numbers(name), LOADERS[half], 0
    for _, data, label in forms(name, half):
        text = base64.b64encode(data).decode("ascii")
        shapes = list(respelled(text)) + list(wrapped(text, label))
        for number, (shape, spelled) in enumerate(shapes + [("DER", data)]):
            if isinstance(spelled, str) and number % 2:
                spelled = spelled.encode("utf-8")
            key = load(spelled, kind)
            assert wanted in key.numbers, shape
            count += 1
        assert (key.kind, key.private) == (kind, half == "private")
    assert numbers("rsa2048") in LOADERS[half](pem("rsa2048-" + half)).numbers
    assert count == 14 * (1 if name.startswith("dsa") and half == "public" else 2)


def test_T82_a_pem_label_that_is_wrong_for_its_content_does_no_harm(backend):
    """Bare PKCS#8 from the console, put into an RSA frame by hand, is what many samples do."""
    text = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format(bare("rsa2048-private"))
    assert keys.load_private_key(text).numbers == keys.load_public_key(pem("rsa2048-public")).numbers


BLANKS = st.sampled_from(["", " ", "\n", "\r\n", "\t", "\n\n", "\ufeff", "\u00a0", "\u200b", "\x0b", "\x0c"])


@given(st.sampled_from(["rsa2048-public", "rsa1024-public"]), st.lists(BLANKS, min_size=1, max_size=30),
       st.integers(1, 80), st.sampled_from([None, "PUBLIC KEY", "RSA PUBLIC KEY", "ANYTHING"]), st.booleans())
def test_T82_blanks_line_ends_and_headers_do_not_matter(backend, name, blanks, width, label, as_bytes):
    """Property 21."""
    text = bare(name)
    pieces = [text[start:start + width] for start in range(0, len(text), width)]
    text = "".join(piece + blanks[number % len(blanks)] for number, piece in enumerate(pieces))
    if label:
        text = "-----BEGIN {0}-----{1}-----END {0}-----".format(label, text)
    text = blanks[0] + text
    key = keys.load_public_key(text.encode("utf-8") if as_bytes else text)
    assert key.numbers == keys.load_public_key(der(name)).numbers


# --- what is refused --------------------------------------------------------------------------------------------

def refusal(load, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        load(*arguments)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    return caught.value


HTML = "<!DOCTYPE html><html><body>Sign in to open.alipay.com</body></html>"
TWO = pem("rsa2048-public") + pem("rsa2048-other-public")
CUT = pem("rsa2048-public")[:300]

#: (loader, kind, text, class, words of the cause and of the cure)
MISTAKES = {
    "certificate": ("public", "RSA", pem("certificate"), KeyFormatError, "certificate openssl"),
    "certificate, bare": ("public", "RSA", bare("certificate"), KeyFormatError, "certificate openssl"),
    "certificate for private": ("private", "RSA", pem("certificate"), KeyFormatError, "certificate openssl"),
    "certificate request": ("public", "RSA", pem("certificate-request"), KeyFormatError, "request openssl"),
    "encrypted, PKCS#8": ("private", "RSA", pem("encrypted-pkcs8"), KeyEncrypted, "passphrase openssl"),
    "encrypted, PKCS#8, bare": ("private", "RSA", bare("encrypted-pkcs8"), KeyEncrypted, "passphrase openssl"),
    "encrypted, DER": ("private", "RSA", der("encrypted-pkcs8"), KeyEncrypted, "passphrase openssl"),
    "encrypted, traditional": ("private", "RSA", pem("encrypted-traditional"), KeyEncrypted, "passphrase openssl"),
    "two keys": ("public", "RSA", TWO, KeyFormatError, "one several"),
    "one and a half": ("public", "RSA", pem("rsa2048-public") + CUT, KeyFormatError, "one part"),
    "two keys, bare": ("public", "RSA", bare("rsa2048-public") + "\n" + bare("rsa1024-public"), KeyFormatError,
                       "not a key"),
    "two keys, DER": ("public", "RSA", der("rsa2048-public") * 2, KeyFormatError, "not a key"),
    "pair in one file": ("private", "RSA", pem("rsa2048-private") + pem("rsa2048-public"), KeyFormatError, "several"),
    "cut PEM": ("public", "RSA", CUT, KeyFormatError, "whole part"),
    "cut base64": ("public", "RSA", bare("rsa2048-public")[:200], KeyFormatError, "cut"),
    "END of another": ("public", "RSA", CUT + "\n-----END PRIVATE KEY-----", KeyFormatError, "whole"),
    "OpenSSH": ("private", "RSA", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----",
                KeyFormatError, "OpenSSH ssh-keygen"),
    "HTML": ("public", "RSA", HTML, KeyFormatError, "HTML"),
    "path": ("private", "RSA", "/etc/alipay/private.pem", KeyFormatError, "path read"),
    "Windows path": ("private", "RSA", "C:\\new\\rsa.txt", KeyFormatError, "path read"),
    "relative path": ("private", "RSA", "keys/rsa_private_key.pem", KeyFormatError, "path read"),
    "backslash-n": ("public", "RSA", pem("rsa2048-public").split("\n", 1)[1].replace("\n", "\\n"), KeyFormatError,
                    "\\n line"),
    "empty": ("public", "RSA", "", KeyFormatError, "empty"),
    "blank": ("public", "RSA", " \n\t", KeyFormatError, "empty"),
    "only a BOM": ("public", "RSA", "\ufeff", KeyFormatError, "empty"),
    "empty PEM": ("public", "RSA", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", KeyFormatError, "not a key"),
    "None": ("public", "RSA", None, KeyFormatError, "str bytes NoneType"),
    "number": ("public", "RSA", 2088, KeyFormatError, "str bytes int"),
    "MD5 key": ("private", "RSA", MD5_KEY, KeyFormatError, "not a key"),
    "JSON": ("public", "RSA", '{"key": "MII…"}', KeyFormatError, "not a key"),
    "any DER": ("public", "RSA", b"\x30\x03\x02\x01\x05", KeyFormatError, "known form"),
    "EC": ("public", "RSA", pem("ec-public"), KeyMismatch, "EC RSA"),
    "EC, private": ("private", "RSA", pem("ec-private"), KeyMismatch, "EC RSA"),
    "Ed25519": ("public", "RSA", pem("ed25519-public"), KeyMismatch, "Ed25519 RSA"),
    "Ed25519 for DSA": ("private", "DSA", pem("ed25519-private"), KeyMismatch, "Ed25519 DSA"),
    "RSA for DSA": ("private", "DSA", pem("rsa2048-private"), KeyMismatch, "RSA DSA"),
    "RSA for DSA, public": ("public", "DSA", pem("rsa2048-public"), KeyMismatch, "RSA DSA"),
    "DSA for RSA": ("private", "RSA", pem("dsa1024-private"), KeyMismatch, "DSA RSA"),
    "DSA for RSA, public": ("public", "RSA", pem("dsa1024-public"), KeyMismatch, "DSA RSA"),
    "private for public": ("public", "RSA", pem("rsa2048-private"), KeyMismatch, "private public Alipay's"),
    "private for public, bare": ("public", "RSA", bare("rsa2048-private"), KeyMismatch, "private public"),
    "private for public, DSA": ("public", "DSA", pem("dsa1024-private"), KeyMismatch, "private public"),
    "public for private": ("private", "RSA", pem("rsa2048-public"), KeyMismatch, "public private"),
    "public for private, DSA": ("private", "DSA", bare("dsa1024-public"), KeyMismatch, "public private"),
}


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_T81_every_mistake_is_refused_with_its_cause_and_cure(backend, name):
    half, kind, text, error, words = MISTAKES[name]
    found = refusal(LOADERS[half], text, kind)
    assert type(found) is error
    for word in words.split():
        assert word in str(found)
    assert ("private_key" if half == "private" else "alipay_public_key") in str(found)
    assert LOADERS[half](pem("{}-{}".format({"RSA": "rsa2048", "DSA": "dsa1024"}[kind], half)), kind).kind == kind


def test_T81_the_parameter_named_is_the_callers(backend):
    assert "sandbox_key" in str(refusal(keys.load_public_key, "", "RSA", "sandbox_key"))


def test_T81_older_forms_of_another_kind_are_refused(backend):
    for command, name, words in ((["ec"], "ec-private", "EC"), (["dsa"], "dsa1024-private", "DSA")):
        text = openssl(*command + ["-in", key_file(name)])
        found = refusal(keys.load_private_key, text, "RSA")
        assert type(found) is KeyMismatch and words in str(found)
    pss = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024")
    assert type(refusal(keys.load_private_key, pss, "RSA")) is KeyMismatch


@pytest.mark.parametrize("name", ["rsa1024-private", "rsa1024-public", "dsa1024-private", "dsa1024-public"])
def test_T81_a_key_cut_at_any_byte_is_refused(backend, name):
    kind, load = name[:3].upper(), LOADERS[name.split("-")[1]]
    for text in (der(name), bare(name).encode("ascii"), pem(name).strip().encode("ascii")):
        assert load(text, kind).bits == 1024
        for size in range(len(text)):
            with pytest.raises(KeyFormatError):
                load(text[:size], kind)


def damaged(data):
    """One bit changed, here and there."""
    for position in range(30, len(data), 23):
        changed = bytearray(data)
        changed[position] ^= 0x10
        yield bytes(changed)


def test_T81_a_damaged_rsa_key_is_refused_or_signs_rightly(backend):
    """It is not only useless: one wrong RSA sign can give its factors away.

    pycryptodome works the last numbers out anew, so damage to them is none.
    """
    public = keys.load_public_key(pem("rsa1024-public"))
    refused = 0
    for data in damaged(der("rsa1024-private")):
        try:
            key = keys.load_private_key(data)
        except ConfigurationError:
            refused += 1
            continue
        sign = algorithms.read_sign("RSA", algorithms.sign("RSA", key, b"a=1"))
        assert algorithms.verify("RSA", [public], b"a=1", sign)
    assert refused > 10


def test_T81_a_damaged_dsa_key_is_refused(backend):
    """In the traditional form, which holds both halves; PKCS#8 holds the private number alone, and any will do."""
    traditional = openssl("dsa", "-in", key_file("dsa1024-private"), "-outform", "DER")
    for load, data in ((keys.load_private_key, traditional), (keys.load_public_key, der("dsa1024-public"))):
        assert load(data, "DSA").bits == 1024
        for changed in damaged(data):
            assert isinstance(refusal(load, changed, "DSA"), ConfigurationError)


@pytest.mark.parametrize("number", [0, 1])
def test_T81_a_dsa_key_that_fits_everything_is_refused(backend, number):
    """With g or y of 0 or 1 a signature can be written down without knowing a secret."""
    p, q, g, y = keys.load_public_key(pem("dsa1024-public"), "DSA").numbers
    assert keys.load_public_key(respell.dsa_public_key(p, q, g, y), "DSA").bits == 1024
    for wrong in ((p, q, number, y), (p, q, g, number), (p, q, number, number), (p, q, p - 1, y), (p, q, g, y + 1)):
        assert type(refusal(keys.load_public_key, respell.dsa_public_key(*wrong), "DSA")) is KeyFormatError


def test_T81_a_dsa_key_of_a_size_that_does_not_exist_is_refused(backend):
    p, _, g, y = keys.load_public_key(pem("dsa1024-public"), "DSA").numbers
    assert type(refusal(keys.load_public_key, respell.dsa_public_key(p, (1 << 191) + 1, g, y), "DSA")) is KeyFormatError


@given(st.binary(max_size=300) | st.text(max_size=300) | st.binary(max_size=200).map(
    lambda tail: base64.b64encode(b"\x30\x82" + len(tail).to_bytes(2, "big") + tail)))
def test_T81_any_bytes_as_a_key_get_a_verdict(backend, text):
    """Property 7, for this layer."""
    for load, arguments in ((keys.load_private_key, ["RSA"]), (keys.load_public_key, ["RSA"]),
                            (keys.load_private_key, ["DSA"]), (keys.load_public_key, ["DSA"]), (keys.load_md5_key, [])):
        try:
            load(text, *arguments)
        except AlipayError:
            pass


#: what each name holds, so that any of the others in its place is wrong
SLOTS = {"private RSA": "rsa2048-private", "public RSA": "rsa2048-public", "private DSA": "dsa1024-private",
         "public DSA": "dsa1024-public"}


@given(st.sampled_from(sorted(SLOTS) + ["MD5"]), st.sampled_from(sorted(SLOTS) + ["MD5"]),
       st.sampled_from([pem, bare, der]))
def test_T81_any_two_keys_swapped_are_refused(backend, slot, other, form):
    """Property 22."""
    text = MD5_KEY if other == "MD5" else form(SLOTS[other])
    if slot == "MD5":
        load, arguments = keys.load_md5_key, []
    else:
        load, arguments = LOADERS[slot.split()[0]], [slot.split()[1]]
    if slot == other:
        assert load(text, *arguments)
    else:
        assert type(refusal(load, text, *arguments)) in (KeyMismatch, KeyFormatError)


def test_T17_our_own_public_key_as_alipays_is_refused(backend):
    """Otherwise each of our own requests would verify as a message of Alipay's."""
    for sign_type, name in (("RSA2", "rsa2048"), ("DSA", "dsa1024")):
        arguments = {"partner": "2088101122136241", "sign_type": sign_type, "private_key": pem(name + "-private")}
        other = pem(name + "-other-public")
        assert Merchant(alipay_public_key=other, **arguments).alipay_public_key
        for wrong in (pem(name + "-public"), bare(name + "-public"), [other, der(name + "-public")]):
            with pytest.raises(KeyMismatch) as caught:
                Merchant(alipay_public_key=wrong, **arguments)
            assert "own" in str(caught.value)


# --- weak keys --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("half", ["private", "public"])
@pytest.mark.parametrize("kind, name, word", [
    ("RSA", "rsa512", "512"), ("RSA", "rsa768", "768"), ("RSA", "rsa1023", "1023"), ("RSA", "rsa2048-e3", "exponent"),
    ("DSA", "dsa512", "512"),
])
def test_T80_a_key_that_can_be_broken_is_refused(backend, kind, name, word, half):
    found = refusal(LOADERS[half], pem("{}-{}".format(name, half)), kind)
    assert type(found) is WeakKey and word in str(found)


@pytest.mark.parametrize("half", ["private", "public"])
@pytest.mark.parametrize("kind, name, bits", [
    ("RSA", "rsa1024", 1024), ("RSA", "rsa2048", 2048), ("DSA", "dsa1024", 1024), ("DSA", "dsa2048", 2048),
    ("DSA", "dsa1024-q224", 1024)])
def test_T80_the_sizes_in_use_are_taken(backend, kind, name, bits, half):
    assert LOADERS[half](pem("{}-{}".format(name, half)), kind).bits == bits


@pytest.mark.parametrize("exponent", [3, 5, 17, 257, 65535])
def test_T80_a_small_exponent_is_weak(backend, exponent):
    n, _ = keys.load_public_key(pem("rsa2048-public")).numbers
    assert type(refusal(keys.load_public_key, respell.rsa_public_key(n, exponent))) is WeakKey
    assert keys.load_public_key(respell.rsa_public_key(n, 65537)).numbers == (n, 65537)
    assert keys.load_public_key(respell.rsa_public_key(n, 65539)).numbers == (n, 65539)


def test_T80_numbers_that_no_rsa_key_has_are_refused(backend):
    n, _ = keys.load_public_key(pem("rsa2048-public")).numbers
    for wrong in ((n, 1), (n, 2), (n, 65538), (n + 1, 65537), (0, 65537), (n, 0)):
        with pytest.raises(ConfigurationError):
            keys.load_public_key(respell.rsa_public_key(*wrong))


@pytest.mark.parametrize("signs", [(-1, 1), (1, -1)])
def test_T80_a_negative_number_is_refused_or_read_as_another(backend, signs):
    """OpenSSL before 3 reads it without its sign bit, which gives a key that fits nothing."""
    n, e = keys.load_public_key(pem("rsa2048-public")).numbers
    try:
        key = keys.load_public_key(respell.rsa_public_key(n * signs[0], e * signs[1]))
    except ConfigurationError:
        return
    assert key.numbers != (n, e)


def test_T80_a_key_of_absurd_size_is_refused(backend):
    assert isinstance(refusal(keys.load_public_key, respell.rsa_public_key((1 << 16400) + 1, 65537)), KeyFormatError)


# --- the MD5 key ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    MD5_KEY, MD5_KEY.encode("ascii"), " " + MD5_KEY + "\r\n", "\ufeff" + MD5_KEY,
    b"\xef\xbb\xbf" + MD5_KEY.encode("ascii")])
def test_T83_an_md5_key_is_taken(text):
    assert keys.load_md5_key(text).secret == MD5_KEY.encode("ascii")


def test_T83_a_der_key_that_ends_in_a_blank_is_seen_too():
    """Taking blanks off its end first would hide it."""
    data = respell.rsa_public_key((1 << 1023) + 1, 0x1000b)
    assert data.strip() != data
    assert type(refusal(keys.load_md5_key, data)) is KeyMismatch


@pytest.mark.parametrize("text, error", [
    ("", MissingKey), (b"", MissingKey), ("  \n", MissingKey), ("\ufeff", MissingKey),
    (MD5_KEY[:31], WeakKey), ("hello", WeakKey), ("x", WeakKey),
    ("密" * 32, KeyFormatError), (MD5_KEY[:16] + " " + MD5_KEY[16:], KeyFormatError), (MD5_KEY + "\0", KeyFormatError),
    (MD5_KEY * 3, KeyFormatError), (None, KeyFormatError), (12345, KeyFormatError), ([MD5_KEY], KeyFormatError),
], ids=repr)
def test_T83_an_md5_key_that_is_none_is_refused(text, error):
    assert type(refusal(keys.load_md5_key, text)) is error


@pytest.mark.parametrize("name", ["rsa2048-public", "rsa1024-public", "rsa512-public", "dsa1024-public", "ec-public",
                                  "ed25519-public", "rsa2048-private", "certificate"])
def test_T83_a_public_key_is_no_md5_key_in_any_form(name):
    """Who knows it could sign: CVE-2017-11424, CVE-2022-29217, CVE-2024-33663, and the DER that went round its cure."""
    for text in (pem(name), pem(name).encode("ascii"), bare(name), lines(bare(name), 64), lines(bare(name), 64, "\r\n"),
                 "\ufeff" + bare(name), der(name), pem(name).split("\n", 1)[1].replace("\n", "\\n")):
        assert type(refusal(keys.load_md5_key, text)) is KeyMismatch
    if name != "ed25519-public":  # the one that is as short as an MD5 key may be
        for text in (bare(name).rstrip("="), bare(name)[:-1], bare(name).replace("+", "-").replace("/", "_"),
                     der(name).hex()):
            assert isinstance(refusal(keys.load_md5_key, text), ConfigurationError)


# --- nothing shows a key ----------------------------------------------------------------------------------------

def shown(value):
    """Every way in which a value becomes text."""
    yield repr(value)
    yield str(value)
    yield "{}".format(value)
    yield "{!r}".format(value)
    yield "%s %r" % (value, value)
    yield repr([value]) + repr({"key": value})
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.emit(logging.LogRecord("shop", logging.ERROR, __file__, 1, "key %s %r", (value, value), None))
    yield log.getvalue()


def holds(text, secrets):
    return [secret for secret in secrets if any(secret[start:start + 10] in text for start in range(len(secret) - 9))]


@pytest.mark.parametrize("name", ["rsa2048", "dsa1024"])
def test_T84_no_text_of_a_key_shows_it(backend, name):
    kind = name[:3].upper()
    secrets = [bare(name + "-private"), der(name + "-private").hex(), repr(der(name + "-private"))[2:-1]]
    for key in (keys.load_private_key(pem(name + "-private"), kind), keys.load_public_key(pem(name + "-public"), kind)):
        for text in shown(key):
            assert not holds(text, secrets + [str(number) for number in key.numbers]) and kind in text
    for text in shown(keys.load_md5_key(MD5_KEY)):
        assert not holds(text, [MD5_KEY]) and "MD5" in text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_T84_a_key_is_not_pickled(backend, protocol):
    for key in (keys.load_private_key(pem("rsa2048-private")), keys.load_md5_key(MD5_KEY)):
        with pytest.raises(InvalidRequest):
            pickle.dumps(key, protocol)
        with pytest.raises(InvalidRequest):
            pickle.dumps({"shop": [key]}, protocol)


def test_T84_a_copy_of_a_key_is_the_key(backend):
    key = keys.load_private_key(pem("rsa2048-private"))
    assert copy.copy(key) is key and copy.deepcopy({"key": [key]})["key"][0] is key
    assert not hasattr(key, "__dict__")


@given(st.sampled_from(["rsa1024-private", "dsa1024-private"]), st.sampled_from([pem, bare]), st.integers(0, 1200),
       st.sampled_from(["", "!", "\n", "\\n", "A", "密"]), st.integers(0, 40))
def test_T84_no_refusal_shows_a_part_of_the_key(backend, name, form, position, inserted, dropped):
    """Property 23, for this layer: neither its message nor its chain of causes."""
    text = form(name)
    position %= len(text)
    text = text[:position] + inserted + text[position + dropped:]
    for load, arguments in ((keys.load_private_key, [name[:3].upper()]), (keys.load_public_key, ["RSA"]),
                            (keys.load_md5_key, [])):
        try:
            load(text, *arguments)
        except AlipayError as error:
            assert error.__cause__ is None and error.__context__ is None
            printed = "".join(traceback.format_exception_only(type(error), error)) + repr(error) + repr(vars(error))
            assert not holds(printed, [bare(name)])


# --- once a merchant --------------------------------------------------------------------------------------------

def test_a_key_text_is_read_once_whatever_the_number_of_calls(backend, monkeypatch):
    """Counted at the back end: reading a private key takes as long as dozens of signatures."""
    calls = []
    for function in ("private_key", "public_key"):
        read = getattr(backend, function)
        monkeypatch.setattr(backend, function, lambda *a, _read=read, _name=function: calls.append(_name) or _read(*a))
    shop = Merchant(partner="2088101122136241", sign_type="RSA2", private_key=pem("rsa2048-private"),
                    alipay_public_key=pem("rsa2048-other-public"))
    assert sorted(calls) == ["private_key", "public_key"]
    raw = algorithms.read_sign("RSA2", algorithms.sign("RSA2", shop.signing_key, b"a=1"))
    for _ in range(20):
        algorithms.sign("RSA2", shop.signing_key, b"a=1")
        algorithms.verify("RSA2", shop.checking_keys, b"a=1", raw)
        copy.deepcopy(shop)
    assert len(calls) == 2


@pytest.mark.skipif(len(backends.INSTALLED) < 2, reason="needs both back ends")
def test_a_key_keeps_one_native_key_a_back_end(monkeypatch):
    first, second = [backends.load(name) for name in backends.NAMES]
    monkeypatch.setattr(crypto, "backend", lambda: first)
    key = keys.load_private_key(pem("rsa2048-private"))
    native = key.native()
    monkeypatch.setattr(crypto, "backend", lambda: second)
    other = key.native()
    assert native is not other and key.native() is other
    monkeypatch.setattr(crypto, "backend", lambda: first)
    assert key.native() is native


# --- export -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("half, form, command", [
    ("private", "PKCS#8", ["pkcs8", "-topk8", "-nocrypt"]), ("private", "PKCS#1", ["rsa", "-traditional"]),
    ("private", "SPKI", ["pkey", "-pubout"]), ("public", "SPKI", ["pkey", "-pubin", "-pubout"]),
    ("public", "PKCS#1", ["rsa", "-pubin", "-RSAPublicKey_out"]),
])
def test_export_gives_what_openssl_gives(backend, half, form, command):
    key = LOADERS[half](pem("rsa2048-" + half))
    assert key.export(form) == openssl(*command + ["-in", key_file("rsa2048-" + half), "-outform", "DER"])


def test_export_of_a_dsa_key(backend):
    key = keys.load_private_key(pem("dsa1024-private"), "DSA")
    assert key.export("SPKI") == der("dsa1024-public")
    assert keys.load_private_key(key.export("PKCS#8"), "DSA").numbers == key.numbers


def test_export_refuses_a_form_that_the_key_has_not(backend):
    with pytest.raises(InvalidRequest) as caught:
        keys.load_public_key(pem("rsa2048-public")).export("PKCS#8")
    assert caught.value.parameter == "form" and caught.value.__context__ is None


def test_every_generated_key_is_marked():
    """Whoever finds one of them in the wild must see at once that it was never secret."""
    files = sorted(signing_fixtures.key_file("x").parent.glob("*"))
    assert len(files) == 34
    for path in files:
        assert path.name.startswith("TEST-ONLY-") and path.read_text(encoding="ascii").startswith("TEST ONLY:")


@pytest.mark.parametrize("text", ["-----BEGIN A-----" * 3000, "-----BEGIN A-----" * 100000, "A" * 70000])
def test_T81_a_long_text_that_is_no_key_is_refused_at_once(text):
    """Hostile: a pattern that took minutes. Genuine twin: the longest key that anybody uses fits."""
    started = time.process_time()
    with pytest.raises(KeyFormatError):
        keys.load_public_key(text)
    assert time.process_time() - started < 1


def test_T81_a_key_of_a_hundred_thousand_bits_is_refused_before_a_library_reads_it(monkeypatch):
    """Hostile: SEQUENCE(INTEGER n, INTEGER e) with a huge n, which kept both libraries busy for seconds and more."""
    def length(size):
        return b"\x83" + size.to_bytes(3, "big")
    number = b"\x01" + b"\xff" * 16000
    body = b"\x02" + length(len(number)) + number + b"\x02\x03\x01\x00\x01"
    monkeypatch.setattr(keys.crypto, "backend", None)
    with pytest.raises(KeyFormatError, match="longer than a key of 16384 bits"):
        keys.load_public_key(b"\x30" + length(len(body)) + body)
