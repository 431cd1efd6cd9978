"""The recorded samples and the generated keys of the signing layer, as Python values."""
import base64
import json
from pathlib import Path

_FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def vectors(stage, **wanted):
    """The rows of ``fixtures/signing/<stage>.json`` that have these values."""
    rows = json.loads((_FIXTURES / "signing" / (stage + ".json")).read_text(encoding="utf-8"))["vectors"]
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def names(rows):
    """Ids for ``pytest.mark.parametrize``."""
    return [row["id"] for row in rows]


def key_file(name):
    """The path of ``TEST-ONLY-<name>.pem``."""
    return _FIXTURES / "keys" / "TEST-ONLY-{}.pem".format(name)


def pem(name):
    """Its text."""
    return key_file(name).read_text(encoding="ascii")


def bare(name):
    """The base64 between its BEGIN and END, in one line."""
    return "".join(pem(name).split("-----")[2].split())


def der(name):
    return base64.b64decode(bare(name))
