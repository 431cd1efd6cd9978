"""AMS's own numbers: drawn from the seed and what they are for, so that a restart makes no others of them."""
import random
from datetime import datetime
from typing import Callable, Optional

#: After the day; what real ones have there.
_MIDDLE = "19401080010018"


def number(seed: Optional[int], kind: str, client_id: str, request_id: str, now: datetime,
           taken: Callable[[str], bool]) -> str:
    """34 digits that begin with the day. ``taken``: is there one like this already?"""
    turn = 0
    while True:
        drawn = random.SystemRandom() if seed is None else random.Random("ams:{}:{}:{}:{}:{}".format(
            seed, kind, client_id, request_id, turn))
        found = now.strftime("%Y%m%d") + _MIDDLE + "".join(drawn.choice("0123456789") for _ in range(12))
        if not taken(found):
            return found
        turn += 1
