"""The views under ASGI: sync views, which Django runs in a thread."""
import asyncio
from urllib.parse import urlsplit

import django
import pytest

import genuine
from django_shop import HANDED, NOTIFY, RETURN, outcome, shop, values, watch

pytestmark = [pytest.mark.usefixtures("database"),
              pytest.mark.skipif(django.VERSION < (3, 1), reason="ASGI with async tests is there from Django 3.1 on")]
PAID = genuine.message(genuine.FOREX)


@pytest.fixture(autouse=True)
def usual_shop(database):
    with shop():
        watch()
        yield


def call(method, url, parts=(b"",), **headers):
    """(status, headers, body) of one request to the ASGI application; ``parts``: the body as it comes in."""
    from django.core.handlers.asgi import ASGIHandler
    application, address = ASGIHandler(), urlsplit(url)
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
             "path": address.path, "raw_path": address.path.encode("ascii"), "root_path": "",
             "query_string": address.query.encode("ascii"), "server": ("shop.example", 443),
             "client": ("192.0.2.1", 1234), "headers": [(b"host", b"shop.example")] + [
                 (name.replace("_", "-").encode("ascii"), value.encode("ascii")) for name, value in headers.items()]}
    sent = []
    coming = [{"type": "http.request", "body": part, "more_body": at + 1 < len(parts)} for at, part in enumerate(parts)]

    async def receive():
        if coming:
            return coming.pop(0)
        await asyncio.sleep(60)     # a client that waits for its answer

    async def send(message):
        sent.append(message)
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 30))
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


def notify(parts, **headers):
    return call("POST", NOTIFY, parts, content_type=genuine.FORM + "utf-8", **headers)


def test_a_notification_is_taken_in():
    status, headers, body = notify([PAID], content_length=str(len(PAID)))
    assert (status, body, headers["content-type"]) == (200, b"success", "text/plain")
    assert outcome() == "paid" and HANDED == ["shop:paid::A1"]


def test_one_in_pieces_of_unknown_length_is_taken_in_too():
    assert notify([PAID[:20], PAID[20:50], PAID[50:]])[0] == 200


def test_a_huge_one_of_unknown_length_is_refused():
    assert notify([b"a=" + b"b" * 600000] + [b"b" * 600000])[0::2] == (413, b"fail")


def test_other_methods_and_junk_are_refused():
    assert call("GET", NOTIFY)[0] == 405
    assert notify([b"junk"], content_length="4")[0::2] == (400, b"fail")


def test_the_buyer_is_back():
    query = genuine.message(genuine.changed(genuine.FOREX, "notify_id", "notify_time", "notify_type")).decode("ascii")
    with shop(values(RETURN_TO="order")):
        status, headers, _ = call("GET", RETURN + "?" + query)
    assert (status, headers["location"]) == (302, "/orders/A1/")
    assert call("GET", RETURN + "?a=b")[0] == 400
    assert call("GET", RETURN + "?" + query)[0] == 200


def test_djangos_own_async_client_is_answered():
    from django.test import AsyncClient

    async def run():
        return await AsyncClient(enforce_csrf_checks=True).generic("POST", NOTIFY, PAID, genuine.FORM + "utf-8")
    response = asyncio.run(run())
    assert (response.status_code, response.content) == (200, b"success")
