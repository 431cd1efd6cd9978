"""The extension itself: configuration, payments, the form, other extensions, processes."""
import os
import pprint
import subprocess
import sys

import flask
import pytest
from flask_desk import MERCHANT, SITE, Desk, note

from alipay_mapi import Order
from alipay_mapi.contrib.flask import AlipayMapi
from alipay_mapi.errors import ConfigurationError, InvalidRequest, WatchConflict
from genuine import MD5_KEY, key_file

TEA = Order("A1", total_fee="8.00", currency="USD")
TWO = {"eu": dict(MERCHANT), "us": dict(MERCHANT)}


# --- configuration ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("show", [repr, str, pprint.pformat])
def test_the_apps_configuration_shows_no_key(show):
    with Desk(STORE="sqlite:////tmp/canary-password.db", HANDLER=None) as desk:
        assert show(desk.app.config).count("<hidden") == 2
        assert MD5_KEY not in show(desk.app.config) and "canary" not in show(desk.app.config)
        merchants = desk.app.config["ALIPAY_MAPI_MERCHANTS"]
        assert MD5_KEY not in show(merchants) and MD5_KEY not in show(merchants["shop"])
        assert MD5_KEY not in show(desk.state()) and MD5_KEY not in show(vars(desk.state()))
        assert merchants["shop"]["md5_key"] == MD5_KEY
        assert desk.app.config["ALIPAY_MAPI_STORE"] == "sqlite:////tmp/canary-password.db"


def test_what_is_changed_before_the_first_use_counts_and_is_hidden_too():
    with Desk(MERCHANTS={"shop": {"partner": "1"}}) as desk:
        desk.app.config["ALIPAY_MAPI_MERCHANTS"]["shop"]["partner"] = "2"
        desk.app.config["ALIPAY_MAPI_MERCHANTS"] = {"shop": dict(MERCHANT)}
        with desk.app.app_context():
            assert desk.alipay.client().shop.partner == MERCHANT["partner"]
        assert MD5_KEY not in repr(desk.app.config)


def test_a_name_that_there_is_not_is_told_at_once():
    app = flask.Flask("misspelt")
    app.config["ALIPAY_MAPI_MERCHANT"] = {"shop": dict(MERCHANT)}
    with pytest.raises(ConfigurationError, match="^ALIPAY_MAPI_MERCHANT: no setting of this"):
        AlipayMapi(app)


def test_evidence_has_no_table_here():
    with pytest.raises(ConfigurationError, match="^ALIPAY_MAPI_EVIDENCE: Flask has no table"):
        Desk(EVIDENCE=True)
    Desk(EVIDENCE=False).close()


def test_an_app_has_the_extension_once():
    with Desk() as desk:
        with pytest.raises(ConfigurationError, match="call it once for each app"):
            desk.alipay.init_app(desk.app)


def test_without_the_extension_the_app_is_told_so():
    app = flask.Flask("bare")
    with app.app_context(), pytest.raises(ConfigurationError, match="this app has no AlipayMapi"):
        AlipayMapi().client()


def test_nothing_is_kept_on_the_object(desk):
    desk.watch()
    desk.post(note())
    assert vars(desk.alipay) == {}


def test_a_relative_store_is_beside_the_app_wherever_a_command_begins(tmp_path, monkeypatch):
    app = flask.Flask("placed", root_path=str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(str(elsewhere))
    with Desk(app=app, STORE="sqlite:///orders.db") as desk:
        desk.watch()
    assert (tmp_path / "orders.db").exists() and not list(elsewhere.iterdir())


# --- where the views are ----------------------------------------------------------------------------------------------

def rules(app):
    return sorted(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("alipay_mapi."))


def test_the_views_are_there_only_when_they_are_asked_for():
    with Desk(url_prefix=None) as desk:
        assert rules(desk.app) == []
        with desk.app.app_context(), pytest.raises(ConfigurationError, match="url_prefix"):
            desk.alipay.payment(TEA, subject="Tea")
        with desk.app.app_context():
            request = desk.alipay.payment(TEA, subject="Tea", notify_url=SITE + "/n", return_url=SITE + "/r")
    assert (request.params["notify_url"], request.params["return_url"]) == (SITE + "/n", SITE + "/r")


@pytest.mark.parametrize("given, setting", [("/pay", None), (None, "/pay"), ("/pay", "/other")])
def test_the_prefix_is_an_argument_or_a_setting(given, setting):
    with Desk(url_prefix=given, URL_PREFIX=setting) as desk:
        assert rules(desk.app) == ["/pay/notify/", "/pay/notify/<merchant>/", "/pay/return/", "/pay/return/<merchant>/"]


# --- payments ---------------------------------------------------------------------------------------------------------

def test_a_payment_names_this_sites_views_and_is_watched(desk):
    with desk.app.app_context():
        request = desk.alipay.payment(TEA, subject="Tea", timeout="30m")
    assert request.service == "create_forex_trade"
    assert request.params["notify_url"] == "https://shop.example/alipay/notify/"
    assert request.params["return_url"] == "https://shop.example/alipay/return/"
    assert (request.params["out_trade_no"], request.params["total_fee"], request.params["currency"],
            request.params["subject"], request.params["timeout_rule"]) == ("A1", "8.00", "USD", "Tea", "30m")
    assert desk.row().outcome == "open"


@pytest.mark.parametrize("root, request_root, prefix", [
    (None, "", ""), ("/", "", ""), ("/shop", "", "/shop"), (None, "/mounted", "/mounted")])
def test_an_address_holds_where_the_app_is_mounted(root, request_root, prefix):
    with Desk() as desk:
        desk.app.config["APPLICATION_ROOT"] = root
        context = desk.app.test_request_context("/", base_url="http://localhost" + request_root) if request_root \
            else desk.app.app_context()
        with context:
            request = desk.alipay.payment(TEA, subject="Tea")
    assert request.params["notify_url"] == SITE + prefix + "/alipay/notify/"


def test_of_several_merchants_each_has_its_own_address():
    with Desk(MERCHANTS=TWO, DEFAULT_MERCHANT="eu") as desk, desk.app.app_context():
        assert desk.alipay.payment(TEA, subject="Tea").params["notify_url"] == SITE + "/alipay/notify/eu/"
        other = desk.alipay.payment(TEA, subject="Tea", shop="us")
        assert other.params["notify_url"] == SITE + "/alipay/notify/us/"
        assert other.params["return_url"] == SITE + "/alipay/return/us/"
        assert sorted(desk.alipay.configured().names) == ["eu", "us"]
        assert desk.alipay.client("us").shop.partner == MERCHANT["partner"]


def test_an_order_at_another_price_is_a_conflict(desk):
    with desk.app.app_context():
        desk.alipay.payment(TEA, subject="Tea")
        with pytest.raises(WatchConflict):
            desk.alipay.payment(Order("A1", total_fee="9.00", currency="USD"), subject="Tea")
        with pytest.raises(InvalidRequest, match="^total_fee: "):
            desk.alipay.payment(TEA, subject="Tea", total_fee="9.00")


def test_an_app_gets_its_order_string():
    rsa = {"partner": MERCHANT["partner"], "sign_type": "RSA2", "private_key": key_file("rsa2048", "private"),
           "alipay_public_key": key_file("rsa2048-other")}
    with Desk(MERCHANTS={"shop": rsa}) as desk, desk.app.app_context():
        text = desk.alipay.app_payment(TEA, subject="Tea", seller_id=MERCHANT["partner"], forex_biz="FP", body="Tea")
        assert 'notify_url="https://shop.example/alipay/notify/"' in text and 'out_trade_no="A1"' in text
        assert desk.alipay.fallback().store.get("shop", "A1").outcome == "open"


def test_the_form_is_safe_in_a_template_and_takes_a_nonce(desk):
    template = "{{ alipay_payment_form(payment, submit='Go & pay', nonce='abc\"x') }}"
    with desk.app.test_request_context("/"):
        payment = desk.alipay.payment(TEA, subject="<b>'Tea' & co</b>")
        page = flask.render_template_string(template, payment=payment)
        plain = flask.render_template_string("{{ alipay_payment_form(payment) }}", payment=payment)
    assert page.startswith('<form id="alipaysubmit"') and page.endswith("</script>")
    assert "&lt;b&gt;" in page and "<b>" not in page and "Go &amp; pay" in page
    assert '<script nonce="abc&#34;x">' in page
    assert page.count("<script") == 1 and plain == payment.form()


# --- other extensions -------------------------------------------------------------------------------------------------

@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("order", ["before", "after"])
def test_flask_wtf_asks_for_no_token_at_the_notify_view_and_still_at_others(order):
    wtf = pytest.importorskip("flask_wtf.csrf", reason="Flask-WTF is not installed", exc_type=ImportError) \
        if pytest.__version__ >= "8.2" else pytest.importorskip("flask_wtf.csrf")
    csrf = wtf.CSRFProtect()

    def add(app):
        app.secret_key = "made for tests"
        if order == "before":
            csrf.init_app(app)
    with Desk(before=add) as desk:
        if order == "after":
            csrf.init_app(desk.app)
        desk.app.add_url_rule("/other", "other", lambda: "", methods=["POST"])
        desk.watch()
        assert desk.app.test_client().post("/other", data=b"x=1").status_code == 400
        assert desk.post(note()) == (200, "success")
        assert desk.post(note(), path="/alipay/notify/shop/") == (200, "success")


def test_an_extension_called_csrf_that_is_something_else_is_left_alone():
    with Desk(before=lambda app: app.extensions.update(csrf=object())) as desk:
        desk.watch()
        assert desk.post(note()) == (200, "success")


# --- processes --------------------------------------------------------------------------------------------------------

@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_makes_its_own_and_shares_the_file(desk, tmp_path):
    """As gunicorn --preload: the app is loaded, and even used, before the fork."""
    code = FORK.format(path=str(tmp_path / "forked.db"), here=os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run([sys.executable, "-W", "error::ResourceWarning", "-c", code], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, env=dict(os.environ, PYTHONPATH=os.pathsep.join(
                              [os.path.dirname(__file__)] + [path for path in sys.path if path])))
    assert done.stdout.decode().split() == ["child", "200", "success", "parent", "200", "success", "1"]


FORK = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)     # of a fork in a process with threads
from flask_desk import Desk, note
with Desk(STORE={path!r}) as desk:
    desk.watch("A1", "A2")
    before = desk.state().configured()
    child = os.fork()
    if child == 0:
        status = desk.post(note("A1"))
        other = desk.state().configured()
        print("child" if other is not before and other.store() is not before.store() else "shared", *status, flush=True)
        desk.close()
        os._exit(0)
    os.waitpid(child, 0)
    print("parent", *desk.post(note("A1")), len(desk.done) + 1, flush=True)
"""


def test_nothing_is_opened_before_it_is_used(tmp_path):
    with Desk(STORE=str(tmp_path / "orders.db")) as desk:
        desk.app.test_client().get("/alipay/notify/")
        assert desk.state()._made[1]._made == {} or not (tmp_path / "orders.db").exists()


def test_importing_the_extension_loads_no_database_and_no_web_client(checkout):
    code = ("import sys, alipay_mapi.contrib.flask; "
            "print([name for name in ('requests', 'sqlalchemy', 'alipay_mapi.cli') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=120, cwd=str(checkout))
    assert done.stdout.decode().strip() == "[]"
