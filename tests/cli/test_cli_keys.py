"""``keys``: what is written is what openssl reads, nobody else can read it, and no private key is printed."""
import json
import os
import stat
from pathlib import Path

import pytest
from cli_samples import load
from openssl_command import openssl

PRIVATE, PUBLIC = "TEST-ONLY-rsa2048-private.pem", "TEST-ONLY-rsa2048-public.pem"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A new RSA pair, made once."""
    from alipay_mapi.cli import main
    path = str(tmp_path_factory.mktemp("keys") / "shop.pem")
    assert main(["keys", "new", path]) == 0
    return path


def public_der(path, *options):
    """The public half as openssl sees it."""
    return openssl("pkey", "-in", path, "-pubout", "-outform", "DER", *options)


def test_openssl_reads_the_new_pair(pair):
    openssl("rsa", "-in", pair, "-noout", "-check")
    assert public_der(pair) == public_der(pair + ".pub", "-pubin")
    assert b"BEGIN PRIVATE KEY" in openssl("pkey", "-in", pair)


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_only_the_owner_can_read_the_new_key(pair):
    assert stat.S_IMODE(os.stat(pair).st_mode) == 0o600


def test_a_new_key_has_2048_bits(run, pair):
    assert load(run("keys", "show", pair, "--json"))["bits"] == 2048


def test_two_new_keys_differ(run, pair, tmp_path):
    assert run("keys", "new", "other.pem").code == 0
    assert (tmp_path / "other.pem").read_bytes() != Path(pair).read_bytes()


@pytest.mark.parametrize("there", ["shop.pem", "shop.pem.pub"])
def test_an_existing_file_is_never_overwritten(run, tmp_path, there):
    (tmp_path / there).write_text("precious")
    ran = run("keys", "new", "shop.pem")
    assert ran.code == 2
    assert (tmp_path / there).read_text() == "precious"
    assert sorted(os.listdir(str(tmp_path))) == [there]


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name != "posix", reason="symbolic links")
def test_a_link_to_nowhere_is_not_followed(run, tmp_path):
    os.symlink(str(tmp_path / "elsewhere"), str(tmp_path / "shop.pem"))
    assert run("keys", "new", "shop.pem").code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_dsa_pair_can_be_made(run):
    ran = run("keys", "new", "dsa.pem", "--kind", "DSA", "--bits", "1024")
    assert ran.code == 0
    assert load(run("keys", "show", "dsa.pem.pub", "--json"))["kind"] == "DSA"
    assert public_der("dsa.pem") == public_der("dsa.pem.pub", "-pubin")


@pytest.mark.parametrize("options", [("--bits", "1024"), ("--bits", "512"), ("--kind", "DSA", "--bits", "4096")])
def test_a_size_that_nobody_should_use_is_refused(run, tmp_path, options):
    assert run("keys", "new", "shop.pem", *options).code == 2
    assert os.listdir(str(tmp_path)) == []


def test_a_folder_that_is_not_there_is_a_usage_error(run):
    assert run("keys", "new", "none/shop.pem").code == 2


def test_show_tells_kind_form_and_the_fingerprint_of_openssl(run, fixtures):
    import hashlib
    path = fixtures / "keys" / PRIVATE
    told = load(run("keys", "show", path, "--json"))
    assert (told["kind"], told["private"], told["bits"], told["encoding"]) == ("RSA", True, 2048, "PEM")
    assert told["fingerprint"] == "SHA256:" + hashlib.sha256(public_der(path)).hexdigest()


def test_both_halves_have_one_fingerprint_and_one_public_text(run, fixtures):
    private, public = [load(run("keys", "show", fixtures / "keys" / name, "--json")) for name in (PRIVATE, PUBLIC)]
    assert private["fingerprint"] == public["fingerprint"] and private["public_key"] == public["public_key"]
    assert (private["private"], public["private"]) == (True, False)


def test_a_key_can_be_shown_from_stdin(run, fixtures):
    data = (fixtures / "keys" / PUBLIC).read_bytes()
    assert load(run("keys", "show", "-", "--json", stdin=data))["bits"] == 2048


@pytest.mark.parametrize("form, header", [("pkcs1", b"RSA PRIVATE KEY"), ("pkcs8", b"PRIVATE KEY")])
@pytest.mark.parametrize("encoding", ["pem", "base64", "der"])
def test_every_form_and_encoding_of_a_private_key_holds_the_same_key(run, fixtures, tmp_path, form, header, encoding):
    path = fixtures / "keys" / PRIVATE
    assert run("keys", "convert", path, "out", "--form", form, "--encoding", encoding).code == 0
    data = (tmp_path / "out").read_bytes()
    if encoding == "pem":
        assert data.startswith(b"-----BEGIN " + header + b"-----\n")
    elif encoding == "base64":
        data = openssl("base64", "-d", "-A", stdin=data.strip())
    (tmp_path / "seen").write_bytes(data)
    seen = openssl("pkey", "-in", tmp_path / "seen", "-inform", "PEM" if encoding == "pem" else "DER", "-pubout",
                   "-outform", "DER")
    assert seen == public_der(path)
    assert stat.S_IMODE(os.stat("out").st_mode) == 0o600
    assert load(run("keys", "show", "out", "--json"))["form"] == {"pkcs1": "PKCS#1", "pkcs8": "PKCS#8"}[form]


def test_there_and_back_again_gives_the_same_bytes(run, tmp_path, fixtures):
    path = fixtures / "keys" / PRIVATE
    for source, target, form, encoding in ((path, "1", "pkcs8", "der"), ("1", "2", "pkcs1", "base64"),
                                           ("2", "3", "pkcs8", "pem"), ("3", "4", "pkcs8", "der")):
        assert run("keys", "convert", source, target, "--form", form, "--encoding", encoding).code == 0
    assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()


@pytest.mark.parametrize("name", [PRIVATE, PUBLIC, "TEST-ONLY-dsa1024-private.pem"])
def test_the_public_half_may_be_printed(run, fixtures, tmp_path, name):
    path = fixtures / "keys" / name
    ran = run("keys", "convert", path, "-", "--form", "spki")
    assert ran.code == 0
    assert ran.out.encode() == openssl("pkey", "-in", path, "-pubout", *(["-pubin"] if name == PUBLIC else []))


def test_a_private_key_is_not_printed(run, fixtures):
    for options in ((), ("--form", "pkcs1"), ("--encoding", "base64"), ("--json",)):
        ran = run("keys", "convert", fixtures / "keys" / PRIVATE, "-", *options)
        assert ran.code == 2
        assert "MII" not in ran.out + ran.err


def test_a_public_key_can_be_written_as_pkcs1(run, fixtures, tmp_path):
    path = fixtures / "keys" / PUBLIC
    ran = run("keys", "convert", path, "out", "--form", "pkcs1")
    assert (ran.code, ran.out) == (0, "written   out\nform      PKCS#1 in PEM\n")
    assert (tmp_path / "out").read_bytes() == openssl("rsa", "-pubin", "-in", path, "-RSAPublicKey_out")
    assert load(run("keys", "show", "out", "--json"))["form"] == "PKCS#1"
    assert run("keys", "convert", "out", "-").out.encode() == openssl("pkey", "-pubin", "-in", path, "-pubout")


@pytest.mark.parametrize("name, form, words", [
    (PUBLIC, "pkcs8", "an RSA public key"), ("TEST-ONLY-dsa1024-private.pem", "pkcs1", "a DSA private key"),
    ("TEST-ONLY-dsa1024-public.pem", "pkcs1", "a DSA public key")])
def test_a_form_that_does_not_fit_the_key_is_refused(run, fixtures, tmp_path, name, form, words):
    ran = run("keys", "convert", fixtures / "keys" / name, "out", "--form", form)
    assert ran.code == 2 and words + " is not written as PKCS#" in ran.err
    assert os.listdir(str(tmp_path)) == []


def test_convert_never_overwrites(run, fixtures, tmp_path):
    (tmp_path / "out").write_text("precious")
    assert run("keys", "convert", fixtures / "keys" / PRIVATE, "out").code == 2
    assert (tmp_path / "out").read_text() == "precious"


@pytest.mark.parametrize("name, error", [
    ("TEST-ONLY-certificate.pem", "KeyFormatError"), ("TEST-ONLY-encrypted-pkcs8.pem", "KeyEncrypted"),
    ("TEST-ONLY-ec-private.pem", "KeyMismatch"), ("TEST-ONLY-rsa512-private.pem", "WeakKey"),
])
def test_what_is_no_usable_key_says_why(run, fixtures, name, error):
    ran = run("keys", "show", fixtures / "keys" / name, "--json")
    assert (ran.code, load(ran)["error"]["class"]) == (78, error)


@pytest.mark.parametrize("encoding, name", [("pem", "PEM"), ("der", "DER"), ("base64", "bare base64")])
def test_show_and_convert_name_an_encoding_alike(run, fixtures, encoding, name):
    told = load(run("keys", "convert", fixtures / "keys" / PRIVATE, "out", "--encoding", encoding, "--json"))
    assert told["encoding"] == load(run("keys", "show", "out", "--json"))["encoding"] == name


def test_a_refusal_names_the_file(run, tmp_path):
    (tmp_path / "notes.txt").write_text("not a key at all")
    for words in (["show", "notes.txt"], ["convert", "notes.txt", "out"]):
        ran = run("keys", *words)
        assert ran.code == 78 and "notes.txt is not a key" in ran.err
    assert "stdin is empty" in run("keys", "show", "-", stdin=b"").err


def test_a_file_that_is_not_there_is_a_usage_error(run):
    assert run("keys", "show", "none.pem").code == 2
    assert json.loads(run("keys", "show", "none.pem", "--json").out)["error"]["parameter"] == "FILE"


def test_a_file_too_large_for_a_key_is_refused(run, tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 70000)
    assert run("keys", "show", "big").code == 78
