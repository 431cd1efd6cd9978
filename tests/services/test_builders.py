"""Every service: a row, a builder and genuine calls whose params were written by hand or signed by someone else."""
import hashlib
import inspect
import json
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from alipay_mapi import services
from alipay_mapi.errors import InvalidRequest
from alipay_mapi.fields import FIELDS
from alipay_mapi.services import BUILDERS, SERVICES

FOLDER = Path(__file__).resolve().parent.parent.parent / "fixtures" / "services"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
CALLS = [(name, call) for name, file in FILES.items() for call in file["calls"]]


def call_id(value):
    return value["name"] if isinstance(value, dict) else value


def test_every_service_has_a_row_a_builder_and_a_fixture():
    assert set(SERVICES) == set(BUILDERS) == set(FILES)
    assert all(name == SERVICES[name].name == FILES[name]["service"] and FILES[name]["calls"] for name in SERVICES)


@pytest.mark.parametrize("service, call", CALLS, ids=call_id)
def test_a_genuine_call_gives_the_params_that_the_fixture_has(service, call):
    arguments = dict(call["arguments"])
    assert BUILDERS[service](**arguments) == call["params"]
    assert arguments == call["arguments"]


@pytest.mark.parametrize("service, call", [row for row in CALLS if "signed" in row[1]], ids=call_id)
def test_the_params_of_a_call_that_someone_else_signed_fit_his_sign(service, call):
    """The rule of the pre-sign string in one line of hashlib; the sign is from another implementation or a page."""
    sent = dict(BUILDERS[service](**call["arguments"]), **call["signed"]["common"])
    presign = "&".join("{}={}".format(name, sent[name]) for name in sorted(sent))
    assert hashlib.md5((presign + call["signed"]["md5_key"]).encode("utf-8")).hexdigest() == call["signed"]["sign"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_builder_takes_exactly_the_arguments_that_its_row_lists(service):
    row, signature = SERVICES[service], inspect.signature(BUILDERS[service])
    assert set(signature.parameters) - {"extra", "today"} == set(row.required + row.optional)
    assert all(p.kind is p.KEYWORD_ONLY for p in signature.parameters.values())
    assert all(p.default is not inspect.Parameter.empty for p in signature.parameters.values())


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_row_speaks_only_of_names_that_it_lists(service):
    row = SERVICES[service]
    spoken = set(row.longest) | set(row.wide) | set(row.json_fields)
    for group in row.exactly_one + row.at_least_one + row.together + row.needs:
        spoken |= set(group)
    assert spoken <= set(row.names)
    assert len(row.names) == len(set(row.names))
    assert set(row.names) <= set(FIELDS)


def test_what_alipay_does_not_sign_and_what_must_not_be_repeated():
    assert {name for name, row in SERVICES.items() if not row.signed_answer} == {"forex_refund", "close_trade"}
    reads = {"single_trade_query", "notify_verify", "query_timestamp", "forex_rate_file", "forex_compare_file",
             "forex_liquidation_file", "alipay.overseas.secmerchant.maintain.queryStatus"}
    assert {name for name, row in SERVICES.items() if not row.writes} == reads


def test_how_each_service_is_answered():
    by_answer = {}
    for name, row in SERVICES.items():
        by_answer.setdefault(row.answer, set()).add(name)
    assert by_answer["page"] == {"create_forex_trade", "create_forex_trade_wap", "create_direct_pay_by_user"}
    assert by_answer["sdk"] == {"mobile.securitypay.pay"}
    assert by_answer["text"] == {"notify_verify", "forex_rate_file", "forex_compare_file", "forex_liquidation_file"}
    assert set(by_answer) == {"page", "sdk", "text", "xml"}


def test_the_registry_is_read_only():
    with pytest.raises(TypeError):
        SERVICES["new"] = None
    with pytest.raises(AttributeError):
        SERVICES["forex_refund"].writes = False


def test_an_unlisted_service_has_no_row():
    assert services.lookup("alipay.acquire.customs") is None
    assert services.lookup("single_trade_query") is SERVICES["single_trade_query"]


def test_the_misspelt_mobile_service_becomes_the_wire_name_with_a_warning():
    with pytest.warns(services.ServiceAlias, match="mobile.securitypay.pay on the wire"):
        assert services.canonical_name("mobile.security.pay") == "mobile.securitypay.pay"
    assert "mobile.security.pay" not in SERVICES


def test_a_name_of_the_wire_is_canonical_without_a_warning():
    assert [services.canonical_name(name) for name in SERVICES] == list(SERVICES)
    assert services.canonical_name("alipay.acquire.customs") == "alipay.acquire.customs"


def test_importing_the_services_is_light():
    code = ("import sys, alipay_mapi.services;"
            "heavy = {'requests', 'lxml', 'Crypto', 'cryptography'} & set(sys.modules);"
            "sys.exit(repr(heavy) if heavy else 0)")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=str(FOLDER.parent.parent))
    assert done.returncode == 0, done.stderr


# --- values as Python has them --------------------------------------------------------------------------------

HAWAII = timezone(timedelta(hours=-10))


def test_an_aware_datetime_goes_out_in_gmt8():
    params = services.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_amount=Decimal("2.50"),
                                   gmt_return=datetime(2026, 1, 31, 18, 0, 0, tzinfo=HAWAII))
    assert params["gmt_return"] == "20260201120000"
    assert params["return_amount"] == "2.50"


def test_order_time_and_seconds_go_out_as_text():
    params = services.create_forex_trade(
        out_trade_no="A1", subject="Tea", currency="USD", total_fee=Decimal("12.3"), order_valid_time=61,
        order_gmt_create=datetime(2026, 1, 31, 16, 30, tzinfo=timezone.utc))
    assert params["order_gmt_create"] == "2026-02-01 00:30:00"
    assert (params["order_valid_time"], params["total_fee"]) == ("61", "12.3")


def test_the_end_of_an_in_app_order_may_be_a_moment():
    params = services.mobile_securitypay_pay(seller_id="2088101122136241", out_trade_no="A1", subject="Tea",
                                             total_fee="1", it_b_pay=datetime(2026, 1, 31, 16, tzinfo=timezone.utc))
    assert params["it_b_pay"] == "2026-02-01 00:00:00"


def test_days_may_be_dates():
    assert services.forex_compare_file(start_date=date(2026, 1, 31), end_date=date(2026, 2, 10),
                                       today=date(2026, 2, 11)) == {"start_date": "20260131", "end_date": "20260210"}


def test_empty_values_are_left_out():
    params = services.create_forex_trade(out_trade_no="A1", subject="Tea", currency="USD", total_fee="1", rmb_fee="",
                                         body="", notify_url=None, product_code=None)
    assert params == {"out_trade_no": "A1", "subject": "Tea", "currency": "USD", "total_fee": "1"}


def test_a_mainland_in_app_order_has_nothing_of_the_cross_border_one():
    params = services.mobile_securitypay_pay(seller_id="2088101122136241", out_trade_no="A1", subject="Tea",
                                             total_fee="1.00")
    assert params == {"seller_id": "2088101122136241", "out_trade_no": "A1", "subject": "Tea", "total_fee": "1.00",
                      "payment_type": "1"}


def test_an_unlisted_parameter_passes_through_extra():
    assert services.forex_rate_file(extra={"sendFormat": "normal"}) == {"sendFormat": "normal"}
    assert services.single_trade_query(out_trade_no="A1", extra={"total_fee": Decimal("1.50")}) == {
        "out_trade_no": "A1", "total_fee": "1.50"}


def test_a_required_argument_that_is_left_out_is_named_like_any_other_wrong_one():
    with pytest.raises(InvalidRequest) as caught:
        services.create_forex_trade(subject="Tea", currency="USD", total_fee="1.00")
    assert caught.value.parameter == "out_trade_no"
