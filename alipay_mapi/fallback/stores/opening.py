from .sqlite import SQLiteStore


def open_store(url, *, clock=None, migrate=False):
    more = {} if clock is None else {"clock": clock}
    if "://" in url and not url.startswith("sqlite:"):
        from .sql import SQLAlchemyStore
        return SQLAlchemyStore(url, clock=clock, migrate=migrate)
    path = ":memory:" if url in ("memory:", ":memory:") else url.replace("sqlite:///", "")
    return SQLiteStore(path, migrate=migrate, **more)
