"""What is wrong with a configuration is told all at once, by id, and no secret is shown."""
import pytest

from alipay_mapi.contrib.web import faults
from alipay_mapi.contrib.web.configured import NAMES, Configured
from alipay_mapi.contrib.web.faults import Problem, problems, problems_of
from alipay_mapi.keys import load_private_key, load_public_key
from genuine import MD5_KEY, PARTNER, key_file
from web_setup import raises

MD5 = {"partner": PARTNER, "sign_type": "MD5", "md5_key": MD5_KEY}
#: Loaded once: reading an RSA key takes a twentieth of a second.
RSA2 = {"partner": PARTNER, "sign_type": "RSA2", "private_key": load_private_key(key_file("rsa2048", "private"), "RSA"),
        "alipay_public_key": load_public_key(key_file("rsa2048-other"), "RSA")}
SECRETS = (MD5_KEY, "BEGIN", "MII", "S3CRET")


def settle(*_):
    """The shop's function."""


def sound(**more):
    return dict({"MERCHANTS": {"shop": RSA2}, "SITE_URL": "https://shop.example", "STORE": "sqlite:///orders.db",
                 "HANDLER": settle}, **more)


def merchant(base=RSA2, **changes):
    return {name: value for name, value in dict(base, **changes).items() if value is not None}


@pytest.fixture(autouse=True)
def without_pycrypto(monkeypatch):
    monkeypatch.setattr(faults, "pycrypto_is_there", lambda: False)


def found(values, debug=False, **more):
    told = problems_of(values, "ALIPAY_MAPI[{!r}]", debug, **more)
    for problem in told:
        assert isinstance(problem, Problem) and problem.level == ("error" if problem.id[0] == "E" else "warning")
        assert problem.text.isprintable() and problem.hint and problem.hint.isprintable()
        assert not [secret for secret in SECRETS if secret in repr(problem)]
    return told


def ids(values, *more, **named):
    return [problem.id for problem in found(values, *more, **named)]


@pytest.mark.parametrize("values", [
    sound(), sound(MERCHANTS={"a": RSA2, "default": RSA2}), sound(HANDLER=None, WITHIN=settle),
    sound(HANDLER="web_setup.at_once", FALLBACK={"grace": 5, "per_second": None, "workers": 0, "limit": 5}),
    sound(STORE=None, HANDLER=None, ORDER=settle, NOTIFIED=settle),
    sound(RETURN_TO="/orders/{out_trade_no}/", EVIDENCE=False, DEFAULT_MERCHANT="shop"),
    sound(WITHIN=settle, HANDLER=None, STORE="postgresql+psycopg2://shop@db/shop"), sound(STORE="orders.sqlite3"),
    sound(STORE="memory:"), sound(STORE="sqlite:////var/lib/orders.db")])
def test_nothing_is_wrong_with_what_works(values):
    assert found(values) == [] and problems(Configured(values)) == []


def test_the_frameworks_own_store_is_one():
    values = sound(STORE=None)
    assert ids(values, open_own=raises(AssertionError("opened"))) == []
    assert ids(sound(STORE="django"), open_own=raises(AssertionError("opened"))) == []
    assert ids(sound(STORE="django")) == ["E005"]       # in Flask


@pytest.mark.parametrize("expected, changes", [
    (["E001"], {"partner": "2088"}), (["E001"], {"partner": "1088101122136241"}),
    (["E001"], {"partner": PARTNER + "0"}),
    (["E001"], {"partner": None}), (["E001"], {"partner": int(PARTNER)}), (["E001"], {"partner": "shop"}),
    ([], {"partner": "2160101122136241"}),
    (["E002"], {"private_key": None}), (["E002"], {"alipay_public_key": None}), (["E002"], {"alipay_public_key": []}),
    (["E002", "E002"], {"private_key": None, "alipay_public_key": None}),
    (["E003"], {"private_key": "S3CRET"}), (["E003"], {"alipay_public_key": "S3CRET"}),
    (["E003"], {"private_key": None, "private_key_file": "/no/such/file"}),
    (["E003"], {"private_key": None, "private_key_file": 5}),
    (["E003"], {"private_key": key_file("rsa2048")}), (["E003"], {"alipay_public_key": key_file("rsa2048")}),
    (["E003"], {"gateway": "intlmapi.alipay.com"}), (["E003"], {"gateway": "http://gateway.example/"}),
    (["E003"], {"input_charset": "latin-1"}), (["E003"], {"seller_id": "shop@example.com"}),
    (["E003"], {"allow_http": "perhaps"}), (["E003"], {"colour": "S3CRET"}), (["E003"], {"sign_type": "rsa2"}),
    (["E003"], {"sign_type": None}),
    (["E001", "E003", "E003", "E003"], {"partner": "x", "private_key": "S3CRET", "colour": 1, "gateway": "x"}),
    (["W002"], {"gateway": "sandbox"}), (["W002"], {"gateway": "https://mapi.alipaydev.com/gateway.do"}),
    (["W002"], {"gateway": "http://127.0.0.1:8000/gateway.do"}), (["W002"], {"gateway": "https://localhost/x"}),
    (["W002"], {"gateway": "http://gateway.example/x", "allow_http": True}),
])
def test_each_mistake_of_a_merchant_has_its_id_and_names_the_merchant(expected, changes):
    told = found(sound(MERCHANTS={"fine": RSA2, "default": merchant(**changes)}))
    assert [problem.id for problem in told] == expected
    assert all(problem.text.startswith("ALIPAY_MAPI['MERCHANTS']['default']: ") for problem in told)


@pytest.mark.parametrize("expected, changes", [
    (["W001"], {}), (["E002", "W001"], {"md5_key": None}), (["E003", "W001"], {"md5_key": "S3CRET"}),
    (["E001", "E002", "E003", "W001"], {"partner": "x", "md5_key": None, "seller_id": "a@b"}),
    (["E003", "W001"], {"md5_key_file": "/no/such/file"}),
])
def test_MD5_is_told_and_needs_its_key_alone(expected, changes):
    assert ids(sound(MERCHANTS={"shop": merchant(MD5, **changes)})) == expected


def test_on_a_developers_machine_a_test_gateway_is_as_it_should_be():
    for gateway in ("sandbox", "http://127.0.0.1:8000/gateway.do"):
        values = sound(MERCHANTS={"shop": merchant(gateway=gateway)})
        assert (ids(values, True), ids(values)) == ([], ["W002"])


@pytest.mark.parametrize("url", [None, "", "shop.example", "//shop.example", "ftp://shop.example", 5, "https://[x",
                                 "https://u:S3CRET@shop.example"])
def test_a_site_that_alipay_cannot_be_told_is_E004(url):
    told, = found(sound(SITE_URL=url))
    assert told.id == "E004" and told.text.startswith("ALIPAY_MAPI['SITE_URL']: ")


@pytest.mark.parametrize("name, count, changes", [
    ("COLOUR", 1, {"COLOUR": "S3CRET"}), ("MERCHANTS", 1, {"MERCHANTS": None}), ("MERCHANTS", 1, {"MERCHANTS": {}}),
    ("MERCHANTS", 1, {"MERCHANTS": "S3CRET"}), ("MERCHANTS", 2, {"MERCHANTS": {"a b": RSA2, "c": 5, "default": RSA2}}),
    ("DEFAULT_MERCHANT", 1, {"DEFAULT_MERCHANT": "other"}), ("DEFAULT_MERCHANT", 1, {"DEFAULT_MERCHANT": []}),
    ("DEFAULT_MERCHANT", 1, {"MERCHANTS": {"a": RSA2, "b": RSA2}}),
    ("HANDLER", 1, {"HANDLER": "no_such_module.settle"}), ("ORDER", 1, {"ORDER": "os.no_such"}),
    ("NOTIFIED", 1, {"NOTIFIED": 5}), ("WITHIN", 1, {"WITHIN": "settle", "HANDLER": None}),
    ("WITHIN", 1, {"WITHIN": settle}),
    ("STORE", 1, {"STORE": None, "HANDLER": None}), ("STORE", 1, {"STORE": None, "HANDLER": None, "ORDER": settle}),
    ("HANDLER", 1, {"STORE": None, "ORDER": settle, "NOTIFIED": settle}),
    ("STORE", 1, {"STORE": "postgres//shop:S3CRET@db"}), ("STORE", 1, {"STORE": 5}), ("STORE", 1, {"STORE": ""}),
    ("FALLBACK", 1, {"FALLBACK": 5}),
    ("FALLBACK", 5, {"FALLBACK": {"grace": "x", "colour": 1, "first": 0, "limit": 2.5, "per_second": 1e9}}),
    ("FALLBACK", 2, {"FALLBACK": {"workers": 999, "deadline": 0}}), ("FALLBACK", 1, {"FALLBACK": {"grace": None}}),
    ("FALLBACK", 1, {"FALLBACK": {"deadline": float("nan")}}), ("RETURN_TO", 1, {"RETURN_TO": 5}),
    ("EVIDENCE", 1, {"EVIDENCE": "no"}),
])
def test_whatever_else_cannot_work_is_E005_and_names_its_setting(name, count, changes):
    told = found(sound(**changes))
    assert [problem.id for problem in told] == ["E005"] * count
    assert all(problem.text.startswith("ALIPAY_MAPI['{}']: ".format(name)) for problem in told)


def test_a_store_and_nobody_who_carries_out_is_W007():
    assert ids(sound(HANDLER=None)) == ["W007"]
    assert ids(sound(HANDLER=None, STORE=None), open_own=settle) == ["W007"]


def test_the_abandoned_pycrypto_is_W003(monkeypatch):
    monkeypatch.setattr(faults, "pycrypto_is_there", lambda: True)
    told, = found(sound())
    assert told.id == "W003" and "pip uninstall pycrypto" in told.hint


def test_everything_is_told_and_not_only_the_first():
    assert ids({"MERCHANTS": {"a": merchant(MD5, partner="x"), "b": merchant(private_key=None, gateway="sandbox")},
                "COLOUR": 1, 5: 1, "SITE_URL": "x", "HANDLER": "x", "STORE": "x", "FALLBACK": {"x": 1}}) == [
        "E005", "E005", "E001", "W001", "E002", "W002", "E005", "E004", "E005", "E005", "E005"]


@pytest.mark.parametrize("values", [None, 5, "S3CRET", [], ["MERCHANTS"]])
def test_settings_that_are_no_dict_are_one_problem(values):
    assert ids(values) == ["E005"]


def test_no_store_is_opened_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(str(tmp_path))
    found(sound(STORE="orders.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, 5, 2.5, "x", b"x", [], {}, {5: 5}, object(), True, settle])
def test_whatever_stands_there_nothing_is_raised(name, value):
    found(sound(**dict({"MERCHANTS": {"shop": MD5}}, **{name: value})))
    if name == "MERCHANTS":
        for key in ("partner", "sign_type", "private_key", "md5_key", "alipay_public_key", "private_key_file",
                    "seller_id", "gateway", "input_charset", "allow_http"):
            found(sound(MERCHANTS={"shop": dict(MD5, **{key: value})}))
