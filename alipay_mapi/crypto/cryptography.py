"""RSA and DSA with ``cryptography`` (extra ``fast``)."""
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

NAME = "cryptography"

_HASHES = {"SHA1": SHA1(), "SHA256": SHA256()}
_PADDING = PKCS1v15()
_PRIVATE = {"RSA": rsa.RSAPrivateKey, "DSA": dsa.DSAPrivateKey}
_PUBLIC = {"RSA": rsa.RSAPublicKey, "DSA": dsa.DSAPublicKey}


def private_key(der, kind):
    """DER of a private key → the library's key. Raises ValueError or TypeError for damaged ones."""
    key = load_der_private_key(der, None)
    if not isinstance(key, _PRIVATE[kind]):
        raise ValueError("another kind")
    return key


def public_key(der, kind):
    key = load_der_public_key(der)
    if not isinstance(key, _PUBLIC[kind]):
        raise ValueError("another kind")
    return key


def public_half(key):
    """Of a private key, the key that :func:`verify` takes."""
    return key.public_key()


def numbers(key, kind):
    """The public numbers: (n, e) for RSA, (p, q, g, y) for DSA."""
    public = public_half(key) if isinstance(key, _PRIVATE[kind]) else key
    values = public.public_numbers()
    if kind == "RSA":
        return values.n, values.e
    group = values.parameter_numbers
    return group.p, group.q, group.g, values.y


def sign(key, kind, hash_name, data):
    if kind == "RSA":
        return key.sign(data, _PADDING, _HASHES[hash_name])
    return key.sign(data, _HASHES[hash_name])


def verify(key, kind, hash_name, data, signature):
    try:
        if kind == "RSA":
            key.verify(signature, data, _PADDING, _HASHES[hash_name])
        else:
            key.verify(signature, data, _HASHES[hash_name])
    except (InvalidSignature, ValueError):
        return False
    return True
