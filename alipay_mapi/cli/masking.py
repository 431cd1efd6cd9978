"""What is not shown: a buyer's address, number and name, unless ``--show-buyer`` asks for them."""
from ..masking import LISTS, PERSONAL, mask

__all__ = ["HIDDEN", "LISTS", "PERSONAL", "mask", "shown"]

HIDDEN = "(hidden; --show-buyer shows it)"


def shown(name: str, value: str, show_buyer: bool = False) -> str:
    """The value of a field as it may be printed."""
    if show_buyer or not value:
        return value
    if name in LISTS:
        return HIDDEN
    return mask(value) if name in PERSONAL else value
