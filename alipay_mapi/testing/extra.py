"""What to say when the optional packages behind the emulator's pages are missing."""
from ..errors import ConfigurationError


def missing(package: str, what: str) -> ConfigurationError:
    """The exception to raise; ``what`` cannot be had without ``package``."""
    return ConfigurationError("{} need{} {}: pip install 'alipay-mapi[emulator]'; visit(), pay() and the rest do "
                              "without".format(what, "" if what.endswith("s") else "s", package or "an extra"))
