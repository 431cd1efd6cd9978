"""What a key file holds, told from the outside. The keys are openssl's."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi import der
from openssl_command import openssl
from signing_fixtures import der as key_der
from signing_fixtures import key_file

FORMS = {
    "rsa2048-private": ("RSA", True, "PKCS#8"), "rsa2048-public": ("RSA", False, "SPKI"),
    "dsa1024-private": ("DSA", True, "PKCS#8"), "dsa1024-public": ("DSA", False, "SPKI"),
    "ec-private": ("EC", True, "PKCS#8"), "ec-public": ("EC", False, "SPKI"),
    "ed25519-private": ("Ed25519", True, "PKCS#8"), "ed25519-public": ("Ed25519", False, "SPKI"),
    "certificate": ("", None, "certificate"), "certificate-request": ("", None, "certificate"),
    "encrypted-pkcs8": ("", True, "encrypted"),
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_is_told_apart(name):
    assert der.whole(key_der(name))
    assert der.form(key_der(name)) == FORMS[name]


@pytest.mark.parametrize("command, name, form", [
    (["rsa", "-traditional"], "rsa2048-private", ("RSA", True, "PKCS#1")),
    (["rsa", "-RSAPublicKey_out"], "rsa2048-private", ("RSA", False, "PKCS#1")),
    (["dsa"], "dsa1024-private", ("DSA", True, "traditional")),
    (["ec"], "ec-private", ("EC", True, "traditional")),
])
def test_the_older_forms_are_told_apart(command, name, form):
    assert der.form(openssl(*command + ["-in", key_file(name), "-outform", "DER"])) == form


def test_an_algorithm_without_a_name_is_still_none_of_ours():
    assert der.form(bytes.fromhex("300a300506032a0304030100")) == ("another algorithm", False, "SPKI")
    assert der.form(bytes.fromhex("30073002040003010000")[:9]) == ("", False, "SPKI")


def test_a_respelled_key_is_not_the_same_key():
    """Old OpenSSL read past both: other parameters than NULL, and bits said to be unused."""
    right = key_der("rsa2048-public")
    null, bits = right.index(b"\x05\x00\x03\x82"), right.index(b"\x03\x82")
    assert der.form(right) == ("RSA", False, "SPKI")
    assert der.form(right[:null] + b"\x04" + right[null + 1:]) == ("another algorithm", False, "SPKI")
    assert der.form(right[:bits + 4] + b"\x01" + right[bits + 5:]) is None


@pytest.mark.parametrize("data", [
    b"", b"\x30", b"\x30\x80\0\0", b"\x30\x01", b"\x30\x85\0\0\0\0\0", b"\x30\x82\x01", b"\x31\0", b"0\0\0", b"\x02\0",
], ids=repr)
def test_what_is_not_one_whole_sequence(data):
    assert not der.whole(data)
    assert der.form(data) is None


@pytest.mark.parametrize("data", [b"\x30\0", b"\x30\x02\x05\0", b"\x30\x02\x02\x09", b"\x30\x22" + b"\5\0" * 17],
                         ids=repr)
def test_a_sequence_that_is_no_key(data):
    assert der.whole(data)
    assert der.form(data) is None


@given(st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: bytes([0x30, len(tail)]) + tail))
def test_T81_any_bytes_get_a_verdict(data):
    """Nothing escapes, whatever the bytes claim about their length."""
    assert der.whole(data) in (True, False)
    assert der.form(data) is None or der.whole(data)
