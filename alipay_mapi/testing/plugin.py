"""The pytest plugin: ``mapi_gateway``, ``mapi_shop``, ``mapi_notify``, and the mark ``mapi``.

Loaded with every run of pytest where alipay_mapi is installed, so it loads nothing before a test asks for it; off with
``-p no:alipay_mapi``.
"""
import pytest

_MARK = ("mapi(live=False, merchant='md5', seed=1, ...): the gateway of this test: live (on a free port of this "
         "machine), for another test merchant (md5, rsa, rsa2, dsa), or with other settings of alipay_mapi's Emulator")


def pytest_addoption(parser):
    parser.addini("mapi_live", "start alipay_mapi's gateway on a free port for each test that uses it", "bool", False)


def pytest_configure(config):
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def mapi_gateway(request):
    """Alipay's gateway for this test (alipay_mapi.testing.TestGateway): all requests sessions are led to it."""
    from .gateway import TestGateway
    settings = {"live": request.config.getini("mapi_live")}
    for mark in reversed(list(request.node.iter_markers("mapi"))):      # the nearest wins
        if mark.args:
            raise pytest.UsageError("@pytest.mark.mapi takes names: {}".format(_MARK))
        settings.update(mark.kwargs)
    with TestGateway(**settings) as gateway:
        yield gateway


@pytest.fixture
def mapi_shop(mapi_gateway):
    """The shop's side: the Merchant (alipay_mapi.Merchant) that this test's gateway knows."""
    return mapi_gateway.shop()


@pytest.fixture
def mapi_notify(mapi_gateway):
    """Makes messages of Alipay: ``mapi_notify("paid", broken="forged", total_fee="8.00")``, see
    alipay_mapi.testing.notification."""
    return mapi_gateway.notification
