"""Where watched orders and their effects are kept: one contract, an SQLite store and one over SQLAlchemy.

Names are loaded when they are first used: who keeps an SQLite file never loads SQLAlchemy.
"""
from typing import TYPE_CHECKING

from ...lazy import load_at_first_use

if TYPE_CHECKING:
    from .contract import Store
    from .opening import open_store
    from .sql import SQLAlchemyStore
    from .sqlite import SQLiteStore

_HOME = {"Store": "contract", "open_store": "opening", "SQLAlchemyStore": "sql", "SQLiteStore": "sqlite"}

__all__ = ["SQLAlchemyStore", "SQLiteStore", "Store", "open_store"]

load_at_first_use(__name__, _HOME)
