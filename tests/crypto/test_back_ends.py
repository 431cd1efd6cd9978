"""One contract for both back ends, and what each of them once let through."""
import hashlib
import subprocess
import sys

import pytest

import backends
import respell
from alipay_mapi import keys
from alipay_mapi.crypto import pycryptodome
from alipay_mapi.errors import WeakKey
from openssl_command import openssl
from signing_fixtures import der, key_file, pem

backend = backends.backend

DATA = b"out_trade_no=1&total_fee=0.01"
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


def both(name):
    kind = name[:3].upper()
    return keys.load_private_key(pem(name + "-private"), kind), keys.load_public_key(pem(name + "-public"), kind)


@pytest.mark.parametrize("name", backends.NAMES)
def test_signing_is_tested_on_this_back_end(name):
    """Skipped where it is not installed, and a failure where ``ALIPAY_MAPI_EXPECT`` says that it must be."""
    assert backends.load(name).NAME == name


# --- the contract -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["rsa1024", "rsa2048", "dsa1024", "dsa2048"])
@pytest.mark.parametrize("hash_name", ["SHA1", "SHA256"])
def test_sign_and_verify_fit_each_other(backend, name, hash_name):
    private, public = both(name)
    sign = backend.sign(private.native(), private.kind, hash_name, DATA)
    assert isinstance(sign, bytes)
    for native in (public.native(), backend.public_half(private.native())):
        assert backend.verify(native, public.kind, hash_name, DATA, sign) is True
        assert backend.verify(native, public.kind, hash_name, DATA + b"0", sign) is False
        assert backend.verify(native, public.kind, "SHA1" if hash_name == "SHA256" else "SHA256", DATA, sign) is False
        assert backend.verify(native, public.kind, hash_name, DATA, b"") is False


@pytest.mark.parametrize("name", ["rsa2048", "dsa1024"])
def test_the_public_numbers_of_both_halves_are_the_same(backend, name):
    private, public = both(name)
    wanted = {"RSA": 2, "DSA": 4}[public.kind]
    assert len(public.numbers) == wanted and all(type(number) is int for number in public.numbers)
    assert backend.numbers(private.native(), private.kind) == backend.numbers(public.native(), public.kind)


@pytest.mark.parametrize("name, kind", [("rsa2048", "DSA"), ("dsa1024", "RSA")])
def test_another_kind_of_key_is_not_read(backend, name, kind):
    with pytest.raises(ValueError):
        backend.private_key(der(name + "-private"), kind)
    with pytest.raises(ValueError):
        backend.public_key(der(name + "-public"), kind)


@pytest.mark.parametrize("name", ["rsa2048", "dsa1024"])
def test_a_public_key_is_no_private_one(backend, name):
    with pytest.raises((ValueError, TypeError)):
        backend.private_key(der(name + "-public"), name[:3].upper())


def test_dsa_signs_differently_for_another_text_and_never_with_the_same_nonce(backend):
    """Two signatures that share a nonce (an equal r) give the private key away."""
    private, _ = both("dsa1024")
    signs = [backend.sign(private.native(), "DSA", "SHA1", b"%d" % number) for number in range(40)]
    assert len({sign[4:4 + sign[3]] for sign in signs}) == 40


@pytest.mark.parametrize("before, chosen", [
    ("", "cryptography"), ("sys.modules['cryptography'] = None", "pycryptodome")])
def test_the_faster_one_is_chosen_where_it_can_be_imported(checkout, before, chosen):
    """Once, in a fresh interpreter."""
    backends.load(chosen)
    code = ("import sys; {}\nfrom alipay_mapi import crypto\n"
            "print(crypto.backend().NAME, crypto.backend() is crypto.backend())")
    printed = subprocess.run([sys.executable, "-c", code.format(before)], cwd=str(checkout), stdin=subprocess.DEVNULL,
                             check=True, stdout=subprocess.PIPE).stdout
    assert printed.decode("ascii").split() == [chosen, "True"]


# --- RSA --------------------------------------------------------------------------------------------------------

def cube_root(number):
    """The smallest whole number whose cube is not below ``number``."""
    low, high = 0, 1 << number.bit_length() // 3 + 2
    while low < high:
        middle = (low + high) // 2
        if middle ** 3 < number:
            low = middle + 1
        else:
            high = middle
    return low


def test_T12_bleichenbacher_2006_with_exponent_3_is_refused(backend):
    """A signature forged with no private key: padding cut short, and a cube root that fills the rest with junk.

    A reader that stops after the digest takes it (shown here); we refuse it, and refuse the key at configuration.
    """
    data = der("rsa2048-e3-public")
    with pytest.raises(WeakKey):
        keys.load_public_key(data)
    key = keys.Key("RSA", False, data)
    head = b"\0\1" + b"\xff" * 8 + b"\0" + SHA1_INFO + hashlib.sha1(DATA).digest()
    forged = cube_root(int.from_bytes(head + bytes(256 - len(head)), "big"))
    n, e = key.numbers
    assert e == 3 and pow(forged, 3, n).to_bytes(256, "big").startswith(head)
    assert not backend.verify(key.native(), "RSA", "SHA1", DATA, forged.to_bytes(256, "big"))
    genuine = openssl("dgst", "-sha1", "-sign", key_file("rsa2048-e3-private"), stdin=DATA)
    assert backend.verify(key.native(), "RSA", "SHA1", DATA, genuine)


@pytest.mark.parametrize("name", ["rsa1024", "rsa2048"])
def test_T11_an_rsa_sign_has_one_length_and_one_value(backend, name):
    """Leading zero, cut zero, plus the modulus, 0, 1, its negative."""
    private, public = both(name)
    n, size = public.numbers[0], public.bits // 8
    data = {"rsa1024": b"69", "rsa2048": b"786"}[name]  # whose sign starts with a zero byte
    genuine = backend.sign(private.native(), "RSA", "SHA256", data)
    assert genuine[0] == 0
    value = int.from_bytes(genuine, "big")
    assert backend.verify(public.native(), "RSA", "SHA256", data, genuine)
    for wrong in (genuine[1:], b"\0" + genuine, genuine + b"\0", genuine[::-1], b"", b"\0", bytes(size),
                  bytes(size - 1) + b"\1", (n - value).to_bytes(size, "big"), (n - 1).to_bytes(size, "big"),
                  n.to_bytes(size, "big"), (n + 1).to_bytes(size, "big"), b"\xff" * size, b"\xff" * (size + 1)):
        assert not backend.verify(public.native(), "RSA", "SHA256", data, wrong)
    for times in (1, 2):
        above = value + times * n
        assert not backend.verify(public.native(), "RSA", "SHA256", data,
                                  above.to_bytes((above.bit_length() + 7) // 8, "big"))


@pytest.mark.parametrize("padding", ["pss", "x931"])
def test_T11_another_padding_scheme_is_refused(backend, padding):
    """Signed by openssl with the right key and hash."""
    public = keys.load_public_key(pem("rsa2048-public"))
    signed = openssl("dgst", "-sha256", "-sigopt", "rsa_padding_mode:" + padding, "-sign", key_file("rsa2048-private"),
                     stdin=DATA)
    assert not backend.verify(public.native(), "RSA", "SHA256", DATA, signed)
    genuine = openssl("dgst", "-sha256", "-sign", key_file("rsa2048-private"), stdin=DATA)
    assert backend.verify(public.native(), "RSA", "SHA256", DATA, genuine)


@pytest.mark.parametrize("digest", ["md5", "sha224", "sha384", "sha512"])
def test_T04_another_hash_of_the_same_key_is_refused(backend, digest):
    public = keys.load_public_key(pem("rsa2048-public"))
    signed = openssl("dgst", "-" + digest, "-sign", key_file("rsa2048-private"), stdin=DATA)
    for hash_name in ("SHA1", "SHA256"):
        assert not backend.verify(public.native(), "RSA", hash_name, DATA, signed)


# --- DSA --------------------------------------------------------------------------------------------------------

def test_T13_dsa_numbers_out_of_range_and_moved_are_refused(backend):
    private, public = both("dsa1024")
    q = public.numbers[1]
    genuine = backend.sign(private.native(), "DSA", "SHA1", DATA)
    size = genuine[3]
    r, s = int.from_bytes(genuine[4:4 + size], "big"), int.from_bytes(genuine[6 + size:], "big")
    assert respell.dsa_signature(r, s) == genuine
    assert backend.verify(public.native(), "DSA", "SHA1", DATA, genuine)
    for wrong in ((0, s), (r, 0), (0, 0), (1, 0), (0, 1), (r + q, s), (r, s + q), (r - q, s), (r, s - q), (-r, s),
                  (r, -s), (r, q - s), (q - r, s), (s, r), (q, s), (r, q)):
        assert not backend.verify(public.native(), "DSA", "SHA1", DATA, respell.dsa_signature(*wrong))
    raw = r.to_bytes(20, "big") + s.to_bytes(20, "big")
    for wrong in (raw, genuine + b"\0", b"\x30\x81" + genuine[1:], genuine[:-1], b"", raw * 2):
        assert not backend.verify(public.native(), "DSA", "SHA1", DATA, wrong)


# --- what only pycryptodome does --------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, bits", [("RSA", 1024), ("DSA", 1024)])
def test_a_new_pair_is_what_openssl_calls_one(kind, bits):
    data = pycryptodome.generate(kind, bits)
    text = openssl("pkey", "-inform", "DER", "-noout", "-text", "-check", stdin=data).decode("ascii")
    assert "valid" in text and "{} bit".format(bits) in text
    key = keys.load_private_key(data, kind)
    assert key.bits == bits and keys.load_public_key(key.export("SPKI"), kind).numbers == key.numbers


def test_export_refuses_a_form_that_the_key_has_not():
    for name, kind, form in (("dsa1024-public", "DSA", "PKCS#1"), ("rsa2048-public", "RSA", "PKCS#8"),
                             ("dsa1024-private", "DSA", "PKCS#1"), ("rsa2048-private", "RSA", "other")):
        with pytest.raises(ValueError):
            pycryptodome.export(der(name), kind, form)
