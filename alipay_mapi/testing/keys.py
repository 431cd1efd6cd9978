"""The test merchants' key pairs, made once for the whole process: an RSA pair costs seconds, a test should not."""
from functools import lru_cache
from typing import Any, Dict


@lru_cache(maxsize=None)
def shared_keys() -> Dict[str, Any]:
    """What ``Emulator(keys=…)`` takes: the same dict every time; pairs are made when a merchant is first used."""
    return {}
