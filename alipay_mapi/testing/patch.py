"""Every ``requests`` session of the process is led to one adapter, for some hosts; the others go where they went."""
from typing import Any, Callable


class Patch:
    """Begins at once; ``end()`` gives back what was there. Patches nest, and may end in any order."""

    def __init__(self, serves: Callable[[str], bool], adapter: Any):
        import requests
        session_class: Any = requests.Session
        self._session, self._on = session_class, True
        self._before = before = session_class.get_adapter

        def get_adapter(session, url):
            return adapter if self._on and serves(url) else before(session, url)

        get_adapter.patch = self    # type: ignore[attr-defined]
        session_class.get_adapter = get_adapter

    def end(self) -> None:
        """Lead nobody any more. What somebody else has patched over this one stays, and finds it idle."""
        self._on = False
        current = self._session.get_adapter
        while isinstance(getattr(current, "patch", None), Patch) and not current.patch._on:
            current = current.patch._before
        self._session.get_adapter = current
