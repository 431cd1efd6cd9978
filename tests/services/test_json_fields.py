"""The JSON inside parameters: each rule of the pages, at both sides of its bound."""
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay_mapi import services
from alipay_mapi.errors import InvalidRequest

A, B = "2088000000000001", "2088000000000002"


def web(**arguments):
    genuine = dict(out_trade_no="A1", subject="Tea", currency="USD", total_fee="10.00", product_code=None)
    genuine.update(arguments)
    return services.create_forex_trade(**genuine)


def split(value, **arguments):
    return web(split_fund_info=value, **arguments)["split_fund_info"]


def information(value):
    return web(trade_information=value)["trade_information"]


def sites(value):
    return services.secmerchant_online_maintain(
        timestamp="2012-12-21 17:11:16", secondary_merchant_name="Tea", secondary_merchant_id="s",
        secondary_merchant_industry="5499", register_country="SG", register_address="1 Example Road",
        site_infos=value)["site_infos"]


def taxis(value):
    return services.secmerchant_offline_maintain(
        timestamp="2012-12-21 17:11:16", secondary_merchant_name="Cab", secondary_merchant_id="s",
        secondary_merchant_industry="4121", register_country="SG", register_address="1 Example Road", store_id="P1",
        store_name="P1", store_country="SG", store_address="1 Example Road", store_industry="4121",
        extend_params=value)["extend_params"]


def part(amount="1.00", currency="USD", party=A, **more):
    return dict(transIn=party, amount=amount, currency=currency, **more)


SITE = {"site_type": "WEB", "site_url": "https://shop.example/", "site_name": "Shop"}
HOTEL = {"business_type": "1", "hotel_name": "Inn", "check_in_time": "2026-02-01", "check_out_time": "2026-02-02"}
DEEP = []  # a list in a list in a list …
for _ in range(5000):
    DEEP = [DEEP]

REFUSED = [
    (split, [], "empty"), (split, [part("0.50")] * 11, "11 entries"), (split, part(), "no list"), (split, 7, "number"),
    (split, ["x"], "no object"), (split, [part("10.01")], "more than the order"),
    (split, [part("5.00"), part("5.01", party=B)], "sum"), (split, [part("0.00")], "nothing"),
    (split, [part(0.5)], "float"), (split, [part("0.001")], "three decimals"), (split, [part("")], "no amount"),
    (split, [part(currency="CNY")], "CNY with total_fee"), (split, [part(currency="EUR")], "other currency"),
    (split, [part(party="208800000000001")], "15 digits"), (split, [part(party="1088000000000001")], "not 2088"),
    (split, [part(party="2088000000000\u0661\u0661\u0661")], "Arabic digits"),
    (split, [part(desc="Tom's")], "quotation mark"), (split, [part(desc='5"')], "quotation mark"),
    (split, [part(desc="a\nb")], "control character"), (split, [part(desc="x" * 257)], "long"),
    (split, [part(note="x")], "unknown key"), (split, [{"transIn": A, "amount": "1.00"}], "key missing"),
    (split, [{"transOut": A, "amount": "1.00", "currency": "USD"}], "transOut in a payment"),
    (split, "[{'transIn':\"" + A + "\",'amount':'1','currency':'USD'}]", "both marks"),
    (split, "[{'transIn':'" + A + "','amount':'1','amount':'2','currency':'USD'}]", "key twice"),
    (split, "[{'transIn':'" + A + "','amount':1e0,'currency':'USD'}]", "exponent"),
    (split, "[{'transIn':'" + A + "','amount':NaN,'currency':'USD'}]", "NaN"),
    (split, "[{'transIn'", "cut"), (split, "[" * 7000, "deep text"), (split, DEEP, "deep list"),
    (split, "[1" + "0" * 7000 + "]", "long number"), (split, "x" * 8001, "long text"),
    (information, {}, "empty"), (information, {"business_type": "6"}, "kind 6"),
    (information, {"business_type": 0}, "0"),
    (information, {"business_type": 10 ** 5000}, "huge"), (information, {"business_type": ["1"]}, "list"),
    (information, [HOTEL], "list"), (information, dict(HOTEL, hotel_name=""), "empty name"),
    (information, dict(HOTEL, flight_number="X"), "key of another kind"),
    (information, {"business_type": "1"}, "missing"),
    (information, {"business_type": "4", "goods_info": "tea", "total_quantity": "1"}, "no quantity"),
    (information, {"business_type": "4", "goods_info": "tea^1|", "total_quantity": "1"}, "bar at the end"),
    (information, {"business_type": "4", "goods_info": "tea^0", "total_quantity": "1"}, "zero goods"),
    (information, {"business_type": "5", "other_business_type": "x", "total_quantity": "0"}, "zero"),
    (information, {"business_type": "5", "other_business_type": "x", "total_quantity": 1.0}, "float"),
    (information, "{'business_type':'3','admission_notice_url':'https://school.example/'}", "single marks"),
    (sites, [], "none"), (sites, [SITE] * 6, "six"), (sites, [dict(SITE, site_type="web")], "lower case"),
    (sites, [dict(SITE, site_url="h" * 257)], "long"), (sites, [dict(SITE, site_name="n" * 129)], "long"),
    (sites, [{"site_type": "WEB", "site_name": "Shop"}], "no url"), (sites, [{"site_type": "APP"}], "nothing"),
    (sites, [{"site_url": "https://shop.example/"}], "no type"), (sites, [dict(SITE, site_name=None)], "null"),
    (taxis, [{"operation_id": "1"}] * 2, "twice"), (taxis, [{"operation_id": "x" * 65}], "long"),
    (taxis, [{"operation_id": str(n)} for n in range(11)], "eleven"), (taxis, [{"contact_way": "x"}], "no id"),
    (taxis, [{"operation_id": "1", "contact_way": "x" * 257}], "long"),
    (taxis, [{"operation_id": "1", "contact_person": "x" * 65}], "long"),
]
NAMED = {split: "split_fund_info", information: "trade_information", sites: "site_infos", taxis: "extend_params"}


@pytest.mark.parametrize("builder, value, why", REFUSED, ids=lambda v: v if isinstance(v, str) and len(v) < 40 else "-")
def test_wrong_json_is_refused_and_the_parameter_is_named(builder, value, why):
    with pytest.raises(InvalidRequest) as caught:
        builder(value)
    assert caught.value.parameter == NAMED[builder]
    assert caught.value.__context__ is None


@pytest.mark.parametrize("builder, value", [
    (split, [part("1.00")] * 10), (split, [part("10.00")]), (split, (part("0.01", desc="x" * 256),)),
    (sites, [SITE] * 5), (sites, [{"site_type": "APP", "site_name": "n" * 128}]),
    (sites, [{"site_type": "APP", "site_url": "h" * 256}]),
    (taxis, [{"operation_id": str(n)} for n in range(10)]),
    (taxis, [{"operation_id": "x" * 64, "contact_way": "x" * 256, "contact_person": "x" * 64}]),
    (information, HOTEL), (information, {"business_type": 2, "flight_number": "X1", "departure_time": "2026-02-01"}),
    (information, {"business_type": 3, "admission_notice_url": "https://school.example/a"}),
    (information, {"business_type": 5, "other_business_type": "museum", "total_quantity": 2}),
])
def test_json_at_the_right_side_of_the_bound_is_accepted(builder, value):
    assert builder(value)


def test_a_split_has_single_quotation_marks_and_no_blanks():
    assert split([part(Decimal("0.5"), desc="half")]) == (
        "[{'transIn':'2088000000000001','amount':'0.5','currency':'USD','desc':'half'}]")


def test_a_split_of_an_order_in_cny_is_in_cny():
    assert split([part("1.5", "CNY")], total_fee=None, rmb_fee="1.5")
    with pytest.raises(InvalidRequest):
        split([part("1.5", "USD")], total_fee=None, rmb_fee="1.5")


def test_a_split_in_yen_has_no_decimals():
    assert split([part(5, "JPY")], currency="JPY", total_fee=10)
    with pytest.raises(InvalidRequest):
        split([part("5.0", "JPY")], currency="JPY", total_fee=10)


def test_a_refund_takes_back_from_trans_out():
    def refund(value):
        return services.forex_refund(out_return_no="R1", out_trade_no="A1", currency="USD", return_rmb_amount="5.00",
                                     gmt_return="20150320120000", split_fund_info=value)["split_fund_info"]

    assert refund([{"transOut": A, "amount": "5.00", "currency": "CNY"}]) == (
        "[{'transOut':'2088000000000001','amount':'5.00','currency':'CNY'}]")
    for wrong in (part("5.00", "CNY"), {"transOut": A, "amount": "5.01", "currency": "CNY"}):
        with pytest.raises(InvalidRequest):
            refund([wrong])


def test_ready_text_is_kept_as_written():
    text = "[ {'transIn':'2088000000000001', 'amount':0.10, 'currency':'USD'} ]"
    assert split(text) == text
    text = '{ "business_type": 4, "goods_info": "茶^2", "total_quantity": 2 }'
    assert information(text) == text


def test_ready_text_of_a_split_gets_single_quotation_marks():
    assert split('[{"transIn":"2088000000000001","amount":"1","currency":"USD"}]') == (
        "[{'transIn':'2088000000000001','amount':'1','currency':'USD'}]")


def test_other_fields_keep_double_quotation_marks_and_chinese_text():
    assert sites([dict(SITE, site_name="Tom's 茶")]) == (
        '[{"site_type":"WEB","site_url":"https://shop.example/","site_name":"Tom\'s 茶"}]')


def test_the_lists_that_are_passed_in_stay_as_they_are():
    value = {"business_type": 4, "goods_info": "tea^1", "total_quantity": 1}
    information(value)
    assert value == {"business_type": 4, "goods_info": "tea^1", "total_quantity": 1}


@given(st.text(min_size=1, max_size=128))
def test_a_name_comes_back_from_the_json_text_or_is_refused(name):
    try:
        text = sites([dict(SITE, site_name=name)])
    except InvalidRequest:
        assert any(c == '"' or ord(c) < 32 or ord(c) == 127 for c in name)
    else:
        assert json.loads(text)[0]["site_name"] == name


JSON = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
                    lambda inner: st.one_of(st.lists(inner, max_size=3),
                                            st.dictionaries(st.sampled_from(["transIn", "amount", "currency", "desc",
                                                                             "business_type", "x"]), inner)),
                    max_leaves=9)


@given(JSON.filter(lambda value: value not in (None, "")), st.sampled_from([split, information, sites, taxis]),
       st.booleans())
def test_whatever_json_is_passed_in_there_is_text_or_an_invalid_request(value, builder, as_text):
    try:
        assert isinstance(builder(json.dumps(value) if as_text else value), str)
    except InvalidRequest as error:
        assert error.parameter == NAMED[builder]
