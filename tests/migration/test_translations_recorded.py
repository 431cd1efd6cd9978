"""The recorded translations: a MAPI call → the requests of AMS and OpenAPI, or what they refuse."""
import pytest

from alipay_mapi.migration.errors import NotTranslatable
from alipay_mapi.migration.translate import Context, translate
from alipay_mapi.times import parse_time
from migration_samples import rows

NOW = parse_time("2026-05-12 12:00:00")     # the only context of the samples: 2026-05-12T12:00:00+08:00
#: id → target → the parameters that are refused
REFUSED = {
    ("map-01", "openapi"): {"currency", "secondary_merchant_id", "secondary_merchant_name",
                            "secondary_merchant_industry"},
    ("map-02", "openapi"): {"currency", "quit_url"}, ("map-05", "openapi"): {"currency"},
    ("map-10", "ams"): {"total_fee"}, ("map-10", "openapi"): {"currency"},
    ("map-11", "ams"): {"split_fund_info"}, ("map-11", "openapi"): {"split_fund_info", "currency"},
}


@pytest.mark.parametrize("target", ["ams", "openapi"])
@pytest.mark.parametrize("sample", rows("translations"), ids=lambda one: one["id"])
def test_a_recorded_call_becomes_what_was_recorded(sample, target):
    """A call about an existing order is recorded as if it lived on the target."""
    is_new = sample["mapi_service"].startswith("create_")
    found = translate(sample["mapi_service"], sample["mapi_params"], target,
                      Context(now=NOW, home=None if is_new else target))
    wanted = sample[target]
    if "refuse" in wanted:
        assert {one.parameter for one in found.refusals} == REFUSED[sample["id"], target]
        assert found.steps == ()
        with pytest.raises(NotTranslatable):
            found.require()
    elif target == "openapi":
        assert [(step.name, step.content) for step in found.steps] == [(wanted["method"], wanted["biz_content"])]
    else:
        steps = wanted.get("steps") or [wanted]
        answer = {"paymentId": "<paymentId>", "paymentAmount": {"currency": "USD"}}
        given = list(found.steps[:1]) + [found.follow(number, answer) for number in range(len(found.steps) - 1)]
        assert [("/ams/api/v1/" + step.name, step.content) for step in given] == [
            (step["path"], step["body"]) for step in steps]


def test_the_recorded_refund_is_refused_when_the_order_is_priced_in_another_currency():
    sample = next(one for one in rows("translations") if one["id"] == "map-05")
    found = translate(sample["mapi_service"], sample["mapi_params"], "ams", Context(now=NOW, home="ams"))
    assert found.steps[1].needs == ("paymentId",)
    with pytest.raises(NotTranslatable) as caught:
        found.follow(0, {"paymentId": "P1", "paymentAmount": {"currency": "CNY", "value": "1"}})
    assert caught.value.parameter == "paymentAmount.currency"
