"""Which versions of what this runs on; read without loading more than their names need."""
import platform
from typing import List, Optional, Tuple

from .._version import __version__
from ..installed import distributed, module_version


def versions() -> List[Tuple[str, Optional[str]]]:
    """(name, version) in a fixed order; None: not installed."""
    return [
        ("alipay-mapi", __version__),
        ("Python", platform.python_version()),
        ("requests", module_version("requests")),
        ("lxml", module_version("lxml.etree")),
        ("libxml2", module_version("lxml.etree", "LIBXML_VERSION")),
        ("pycryptodome", module_version("Crypto")),
        ("cryptography", module_version("cryptography")),
        ("rich", distributed("rich")),
        ("Werkzeug", distributed("werkzeug")),
        ("Jinja2", distributed("jinja2")),
        ("segno", distributed("segno")),
        ("SQLAlchemy", distributed("sqlalchemy")),
        ("celery", distributed("celery")),
        ("prometheus_client", distributed("prometheus_client")),
    ]
