"""The names that shops import, as they were promised: a change here is a change of the interface."""
import ast
import importlib
import inspect
import pickle
import subprocess
import sys
import types
from pathlib import Path

import pytest

import alipay_mapi as mapi
from alipay_mapi import errors

FOLDER = Path(mapi.__file__).resolve().parent

REFUSALS = """
SignatureInvalid SignatureMissing SignTypeMismatch UnsupportedSignType MalformedSignature DuplicateParameter
MalformedParameter CharsetError BodyTooLarge TooManyParameters UnexpectedParameter AmbiguousContent MissingParameter
UnsupportedContentType PartyMismatch NotConfirmed NotifyNotGenuine AmountMismatch CurrencyMismatch OrderMismatch
OrderNotFound UnknownStatus NotXML XMLMalformed XMLForbidden XMLLimit UnexpectedRoot ResponseSignatureMissing
ResponseSignatureInvalid GatewayError TransportError OutcomeUnknown KeyFormatError KeyEncrypted KeyMismatch WeakKey
MissingKey InvalidRequest UnsafeValue WatchConflict StoreError SchemaError
""".split()

#: Name → its arguments: a bare name is required, ``name=…`` has that default.
SIGNATURES = {
    "build_request": "shop, service, params",
    "build_order_string": "shop, params",
    "verify_notify": "shop, body, content_type=None, order=None, confirm=None",
    "verify_return": "shop, query, order=None",
    "verify_app_result": "shop, text",
    "parse_response": "shop, xml, asked=None",
    "Order": "out_trade_no, total_fee=None, currency=None, rmb_fee=None",
    "Merchant": "partner, sign_type, private_key=None, alipay_public_key=None, md5_key=None, seller_id=None, "
                "seller_email=None, input_charset='utf-8', gateway='https://intlmapi.alipay.com/gateway.do', "
                "allow_http=False",
    "Client": "shop, transport=None",
}

CLIENT = ["single_trade_query", "forex_refund", "notify_verify", "secmerchant_online_maintain", "call"]
NOTIFICATION = ["trade_status", "total_fee", "is_paid", "is_refund", "unchecked", "passed", "get", "require_known",
                "notify_time"]
RESPONSE = ["raise_for_error", "signed", "is_success", "error", "get", "trade_status", "total_fee"]
REQUEST = ["service", "params", "presign", "sign", "url", "body", "form", "action"]
SERVICES = ["create_forex_trade", "create_forex_trade_wap", "mobile_securitypay_pay", "forex_refund",
            "single_trade_query", "notify_verify", "secmerchant_online_maintain", "secmerchant_offline_maintain",
            "secmerchant_query_status", "forex_rate_file", "forex_compare_file", "forex_liquidation_file",
            "create_direct_pay_by_user", "close_trade", "query_timestamp"]
WIRE_NAMES = ["mobile.securitypay.pay", "create_forex_trade", "create_forex_trade_wap", "forex_refund",
              "single_trade_query", "alipay.overseas.secmerchant.online.maintain",
              "alipay.overseas.secmerchant.offline.maintain", "alipay.overseas.secmerchant.maintain.queryStatus",
              "notify_verify", "forex_rate_file", "forex_compare_file",
              "forex_liquidation_file", "create_direct_pay_by_user", "close_trade", "query_timestamp"]


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_signature_is_as_promised(name):
    """More arguments may follow, as long as they have defaults."""
    parameters = list(inspect.signature(getattr(mapi, name)).parameters.values())
    shown = [each.name if each.default is each.empty else "{}={!r}".format(each.name, each.default)
             for each in parameters]
    promised = SIGNATURES[name].split(", ")
    assert shown[:len(promised)] == promised
    assert [each.name for each in parameters[len(promised):] if each.default is each.empty] == []


def test_the_refusals_have_the_names_of_the_threat_model():
    for name in REFUSALS:
        kind = getattr(mapi, name)
        assert kind.__name__ == name and issubclass(kind, mapi.AlipayError) and kind.__doc__


def test_every_error_class_is_public_and_has_one_root():
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert [kind.__name__ for kind in classes if not issubclass(kind, mapi.AlipayError)] == []
    assert [kind.__name__ for kind in classes if getattr(mapi, kind.__name__, None) is not kind] == []
    assert mapi.AlipayError.__bases__ == (Exception,)


@pytest.mark.parametrize("name, also", [
    ("InvalidRequest", ValueError), ("UnsafeValue", mapi.InvalidRequest), ("InvalidMessage", ValueError),
    ("ConfigurationError", ValueError), ("KeyFormatError", mapi.ConfigurationError),
    ("KeyEncrypted", mapi.KeyFormatError),
    ("TransportError", OSError), ("OutcomeUnknown", OSError), ("SignatureInvalid", mapi.UntrustedMessage),
    ("CharsetError", mapi.UnreadableMessage), ("NotifyNotGenuine", mapi.NotConfirmed),
    ("ResponseSignatureInvalid", mapi.SignatureInvalid), ("ResponseSignatureMissing", mapi.SignatureMissing)])
def test_an_error_is_also_what_people_catch(name, also):
    assert issubclass(getattr(mapi, name), also)


def test_an_error_carries_its_facts_and_pickles():
    error = pickle.loads(pickle.dumps(mapi.GatewayError("no", code="ILLEGAL_SIGN", service="x")))
    assert (str(error), error.code, error.service, error.facts) == ("no", "ILLEGAL_SIGN", "x",
                                                                    {"code": "ILLEGAL_SIGN", "service": "x"})
    assert mapi.InvalidRequest("x").parameter is None and mapi.GatewayError("x").code is None


def test_the_constants_are_there():
    assert mapi.REPLY_SUCCESS == "success"
    for name in ("GATEWAY_INTL", "GATEWAY_INSTORE", "GATEWAY_MAINLAND", "GATEWAY_SANDBOX", "GATEWAY_HK"):
        assert getattr(mapi, name).startswith("https://") and getattr(mapi, name).endswith("/gateway.do")


@pytest.mark.parametrize("owner, names", [
    ("Client", CLIENT), ("Notification", NOTIFICATION), ("Response", RESPONSE), ("SignedRequest", REQUEST),
    ("TradeState", ["apply"]), ("services", SERVICES)])
def test_the_promised_attributes_are_there(owner, names):
    assert [name for name in names if not hasattr(getattr(mapi, owner), name)] == []


def test_the_services_of_this_version_are_listed():
    assert sorted(mapi.services.SERVICES) == sorted(WIRE_NAMES)


@pytest.mark.parametrize("name", ["SynchronousReturn", "AppResult", "Response"])
def test_what_is_no_proof_of_payment_has_no_is_paid(name):
    assert not hasattr(getattr(mapi, name), "is_paid")
    assert hasattr(mapi.Notification, "is_paid")


def test_all_holds_what_was_meant_and_no_module_by_accident():
    assert len(set(mapi.__all__)) == len(mapi.__all__)
    modules = [name for name in mapi.__all__ if isinstance(getattr(mapi, name), types.ModuleType)]
    assert modules == ["services"]
    assert [name for name in mapi.__all__ if name.startswith("_") and name != "__version__"] == []
    assert set(SIGNATURES) | set(REFUSALS) | {"REPLY_SUCCESS", "TradeState", "services",
                                              "AlipayError"} <= set(mapi.__all__)
    for name in mapi.__all__:
        home = getattr(getattr(mapi, name), "__module__", "alipay_mapi")
        assert home.startswith("alipay_mapi"), (name, home)


def test_everything_in_all_is_in_dir_and_nothing_else_is_found():
    assert set(mapi.__all__) <= set(dir(mapi))
    with pytest.raises(AttributeError):
        _ = mapi.no_such_name
    with pytest.raises(ImportError):
        exec("from alipay_mapi import no_such_name", {})


def test_a_star_import_gives_all():
    found = {}
    exec("from alipay_mapi import *", found)
    assert set(mapi.__all__) - set(found) == set()


def test_the_version_is_text():
    assert mapi.__version__.count(".") == 2


def test_the_types_are_shipped_and_know_the_same_names():
    assert (FOLDER / "py.typed").exists()
    tree = ast.parse((FOLDER / "__init__.pyi").read_text(encoding="utf-8"))
    names = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom)
             for alias in node.names}
    assert names == set(mapi.__all__)


def test_every_module_can_be_imported_alone():
    """In a fresh interpreter each: a circle of imports would show only there."""
    names = sorted("alipay_mapi." + ".".join(path.relative_to(FOLDER).with_suffix("").parts)
                   for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "__main__"))
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n    [sys.modules.pop(m) for m in list(sys.modules) " \
           "if m.startswith('alipay_mapi')]\n    importlib.import_module(name)\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code] + names, cwd=str(FOLDER.parent),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-500:]
    assert importlib.import_module("alipay_mapi.response") is not None
