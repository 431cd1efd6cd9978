"""The query fallback: every order whose notification may be lost is asked about until it is settled.

``Fallback`` is what a shop uses; ``open_store`` opens the place where orders and effects are kept. How it is run is in
``docs/fallback.md``, what it promises in ``docs/reliability.md``.
"""
from .deciding import EXPIRED, GAVE_UP, OPEN, Decision
from .outbox import Carried
from .query_fallback import Fallback
from .rows import Pending, Row, Watched
from .runner import Tally
from .schedule import Schedule
from .stores.contract import Store
from .stores.opening import open_store

__all__ = ["Fallback", "open_store", "Store", "Schedule", "Watched", "Row", "Pending", "Decision", "Tally", "Carried",
           "OPEN", "EXPIRED", "GAVE_UP"]
