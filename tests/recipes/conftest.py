"""One shop per test, with a database and a broker where the recipe needs them."""
import pytest
import workers_page


@pytest.fixture
def shop(tmp_path):
    for module in ("werkzeug", "jinja2", "segno"):
        pytest.importorskip(module)
    from shop_at_work import Shop
    one = Shop(tmp_path)
    yield one
    one.end()


@pytest.fixture
def database(shop):
    """PostgreSQL, and in the environment what the page puts there."""
    import servers
    from shop_at_work import Database
    one = Database(servers.postgresql().database())
    shop.environment = dict(workers_page.variables(), **shop.environment)
    shop.environment["SHOP_STORE"] = one.url
    yield one
    one.close()


@pytest.fixture
def redis(shop, database):
    """A broker with nothing in it."""
    import servers
    server = servers.redis()
    import redis
    with redis.Redis.from_url(server.url()) as client:
        client.flushall()
        shop.environment["SHOP_BROKER"] = server.url()
        yield client
