"""For a shop's tests: Alipay's gateway in the test's own process, with notifications that come in through Django.

``class CheckoutTest(MapiGatewayMixin, django.test.TestCase)`` has a gateway in ``self.mapi`` in each test; or
``with DjangoGateway() as mapi:`` inside of one. It works in a TestCase, whose transaction is never committed, too.
"""
from contextlib import contextmanager
from typing import Any, Dict, Iterator
from urllib.parse import urlsplit

from django.conf import settings as project
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from ...fallback import OPEN, Tally
from ...testing import TestGateway
from ...testing import delivery as deliveries
from .process import configured

_KINDS = {"MD5": "md5", "RSA": "rsa", "RSA2": "rsa2", "DSA": "dsa"}


class DjangoGateway(TestGateway):
    """A ``TestGateway`` (see there) for the shop of this project.

    While it is installed, every merchant of ``ALIPAY_MAPI`` is a test merchant of the gateway with the same sign type,
    and the Django store has the gateway's clock, which stands still unless ``advance`` moves it. ``deliver()`` posts
    what is due to the orders' ``notify_url``, by Django's test client with CSRF checks; what the shop's code raises is
    raised in the test.
    """

    def __init__(self, *arguments: Any, **settings: Any):
        super().__init__(*arguments, **settings)
        self._client = Client(enforce_csrf_checks=True)
        self._override: Any = None

    def __enter__(self) -> "DjangoGateway":
        super().__enter__()
        self._override = override_settings(ALIPAY_MAPI=self._settings())
        self._override.enable()
        self._careful = deliveries.Careful(self._post)
        self.emulator.notifier.sender = self._careful
        made = configured()
        if made.opens(made.get("STORE")):
            from .store.django_store import DjangoStore
            made.use_store(DjangoStore(clock=self._now))
        return self

    def close(self) -> None:
        if self._override is not None:
            self._override.disable()
            self._override = None
        super().close()

    def run_fallback(self) -> Tally:
        """Move the clock on until every open order is due (notifications come in meanwhile), and run the query
        fallback once, without threads. Raises ConfigurationError where the shop keeps its orders itself."""
        fallback = configured().fallback()
        with committing():
            due = [row.due_at for row in _rows(fallback.store)
                   if row.due_at is not None and (row.outcome == OPEN or row.refunds)]
            self.emulator.advance(max(0.0, max(due, default=0.0) - fallback.store.now()) + 1.0)
            return fallback.run(workers=0)

    def _settings(self) -> Dict[str, Any]:
        values = dict(getattr(project, "ALIPAY_MAPI", None) or {"SITE_URL": "https://testserver"})
        merchants = values.get("MERCHANTS") or {"default": {}}
        values["MERCHANTS"] = {name: self.settings(_KINDS.get(one.get("sign_type"), self._merchant))
                               for name, one in merchants.items()}
        # A test does not wait.
        values["FALLBACK"] = dict(values.get("FALLBACK") or {}, per_second=None, refunds_apart=None)
        return values

    def _now(self) -> float:
        return self.emulator.clock.now().timestamp()

    def _post(self, delivery: Any) -> Any:
        from ...emulator.notifier import Answered
        url = urlsplit(delivery.url)
        with committing():
            # Not post(), which would read the body's bytes as text of its charset.
            answer = self._client.generic("POST", url.path + ("?" + url.query if url.query else ""), delivery.body,
                                          delivery.content_type, secure=url.scheme == "https")
        return Answered(answer.status_code, answer.content.decode("utf-8", "replace"))


class MapiGatewayMixin:
    """In front of ``django.test.TestCase`` or ``TransactionTestCase``: each test has a gateway of its own in
    ``self.mapi``. ``mapi_settings``: as of :class:`DjangoGateway`. A ``setUp`` of yours calls ``super().setUp()``
    first."""

    mapi_settings: Dict[str, Any] = {}
    mapi: DjangoGateway

    def setUp(self) -> None:
        super().setUp()     # type: ignore[misc]
        self.mapi = DjangoGateway(**self.mapi_settings)
        self.addCleanup(self.mapi.close)    # type: ignore[attr-defined]
        self.mapi.__enter__()


@contextmanager
def committing() -> Iterator[None]:
    """What waits for a commit at the end of the block is done then, also in the transaction of a TestCase: there Django
    would never call it, as nothing is ever committed."""
    held = connection.in_atomic_block
    begun = len(connection.run_on_commit)
    yield
    if held and connection.in_atomic_block:
        while len(connection.run_on_commit) > begun:
            connection.run_on_commit.pop(begun)[1]()


def _rows(store):
    last = 0
    while True:
        rows = store.rows(last, 500)
        for row in rows:
            yield row
        if len(rows) < 500:
            return
        last = rows[-1].id
