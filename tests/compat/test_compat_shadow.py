"""Old and new side by side: the shop gets the old result whatever the new one does, and the log shows no secret."""
import logging
import re
import threading
from urllib.parse import urlencode

import pytest
from old_package import EMAIL, KEY, PID, Script, notification, refusal, sign_of, signed_answer

from alipay_mapi.compat import fengli, lxneng
from alipay_mapi.compat.shadow import Shadow

GATEWAY = "https://mapi.alipay.com/gateway.do"
ORDER = {"out_trade_no": "A1", "subject": "tea", "total_fee": "9.90"}


class MissingParameter(Exception):
    pass


class Old:
    """As the published package: signs what it is given."""

    def __init__(self, **answers):
        self.answers, self.ran = answers, []

    def _build_url(self, service, paramnames=None, **kw):
        params = dict({"service": service, "partner": PID, "_input_charset": "utf-8", "payment_type": "1",
                       "seller_email": EMAIL}, **kw)
        if paramnames:
            params = {name: params[name] for name in paramnames if name in params}
        sign = sign_of(params)
        return GATEWAY + "?" + urlencode(dict(params, sign=sign, sign_type="MD5"))

    def create_direct_pay_by_user_url(self, **kw):
        self.ran.append("create_direct_pay_by_user_url")
        if "subject" not in kw:
            raise MissingParameter("subject")
        return self._build_url("create_direct_pay_by_user", **kw)

    def add_alipay_qrcode_url(self, **kw):
        return self._build_url("alipay.mobile.qrcode.manage", method="add", timestamp="2026-01-31 12:00:00", **kw)

    def _answer(self, name):
        self.ran.append(name)
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def add_alipay_qrcode(self, **kw):
        return self._answer("add_alipay_qrcode")

    def single_trade_query(self, **kw):
        return self._answer("single_trade_query")

    def verify_notify(self, **kw):
        return self._answer("verify_notify")

    def made_by_the_shop(self, *args, **kw):
        return args, kw


def new(*answers):
    return lxneng.Alipay(PID, KEY, EMAIL, transport=Script(*(answers or (b"true",))))


def sent(shop):
    return shop._transport.calls


def test_the_same_result_is_counted_and_no_line_is_logged(caplog):
    old = Old()
    shadow = Shadow(old, new())
    assert shadow.call("create_direct_pay_by_user_url", **ORDER) == Old().create_direct_pay_by_user_url(**ORDER)
    assert shadow.counts == {"calls": 1} and caplog.records == []
    assert old.ran == ["create_direct_pay_by_user_url"], "the old one runs once"


def test_each_field_that_differs_is_a_line_and_the_warning_follows(caplog):
    shadow = Shadow(Old(), new())
    shadow.call("create_direct_pay_by_user_url", body="", **ORDER)
    assert shadow.counts == {"calls": 1, "differing": 1, ("create_direct_pay_by_user_url", "body"): 1}
    first, second = [record.getMessage() for record in caplog.records]
    assert first == "create_direct_pay_by_user_url: body: old (empty), new (absent)" and "ILLEGAL_SIGN" in second
    assert {record.name for record in caplog.records} == {"alipay_mapi.compat.shadow"}


def test_a_sign_that_differs_alone_is_told_of_without_a_digit_of_it(caplog):
    class Wrong(Old):
        def create_direct_pay_by_user_url(self, **kw):
            return re.sub("sign=[0-9a-f]{32}", "sign=" + "0" * 32, super().create_direct_pay_by_user_url(**kw))
    Shadow(Wrong(), new()).call("create_direct_pay_by_user_url", **ORDER)
    assert "sign: old (hidden), new (hidden)" in caplog.text and "0" * 32 not in caplog.text


SECRETS = {"seller_email": "forename@example.com", "token": "t0ken-of-a-buyer", "buyer_email": "buyer@example.org",
           "detail_data": "a^b@example.net^1.00^x", "receive_name": "张三丰",
           "notify_url": "https://user:pa55@shop.example.com/n?key=s3cret", "extra_common_param": "session=s3cret"}


def test_nothing_secret_or_personal_is_in_the_log(caplog):
    class Other(Old):
        def create_direct_pay_by_user_url(self, **kw):
            return self._build_url("create_direct_pay_by_user", **dict(kw, **SECRETS))
    shadow = Shadow(Other(), new())
    shadow.call("create_direct_pay_by_user_url", **ORDER)
    assert shadow.counts["create_direct_pay_by_user_url", "token"] == 1
    for secret in ("forename@", "t0ken", "buyer@", "b@example.net", "三丰", "pa55", "s3cret", KEY):
        assert secret not in caplog.text
    assert "for***@example.com" in caplog.text and "shop.example.com/n?…" in caplog.text


def test_a_line_break_in_a_value_forges_no_line(caplog):
    class Other(Old):
        def create_direct_pay_by_user_url(self, **kw):
            return self._build_url("create_direct_pay_by_user", **dict(kw, body="a\nERROR forged"))
    Shadow(Other(), new()).call("create_direct_pay_by_user_url", **ORDER)
    assert "\nERROR" not in caplog.records[0].getMessage()


def test_amounts_are_compared_as_amounts_and_times_are_not_compared(caplog):
    class Other(Old):
        def create_direct_pay_by_user_url(self, **kw):
            return self._build_url("create_direct_pay_by_user", **dict(kw, total_fee="9.9", timestamp="x"))
    shadow = Shadow(Other(), new())
    shadow.call("create_direct_pay_by_user_url", **ORDER)
    assert shadow.counts == {"calls": 1}


def test_what_the_old_one_raises_is_raised():
    shadow = Shadow(Old(), new())
    with pytest.raises(MissingParameter):
        shadow.call("create_direct_pay_by_user_url", out_trade_no="A1", total_fee="1")
    assert shadow.counts == {"calls": 1}, "both refuse, by the same name"


def test_what_the_new_one_alone_refuses_is_a_difference_that_names_the_parameter(caplog):
    shadow = Shadow(Old(), new())
    assert shadow.call("create_direct_pay_by_user_url", **dict(ORDER, total_fee="1.005"))
    assert shadow.counts["create_direct_pay_by_user_url", "(raises)"] == 1
    assert "old no error, new ParameterValueError (total_fee)" in caplog.text and "1.005" not in caplog.text


class Broken:
    def __getattr__(self, name):
        raise RuntimeError("sign=0123456789abcdef0123456789abcdef of " + name)


@pytest.mark.parametrize("broken", [Broken(), None, object()], ids=["raising", "none", "bare"])
@pytest.mark.parametrize("name, kw", [
    ("create_direct_pay_by_user_url", ORDER), ("verify_notify", notification()),
    ("add_alipay_qrcode", {"biz_type": "1"}), ("single_trade_query", {"out_trade_no": "A1"})])
def test_a_new_one_that_is_broken_never_reaches_the_shop(broken, name, kw, caplog):
    old = Old(verify_notify=True, add_alipay_qrcode="x", single_trade_query="<a/>")
    shadow = Shadow(old, broken)
    assert shadow.call(name, **kw)
    assert shadow.counts["calls"] == 1 and "0123456789abcdef" not in caplog.text


def test_a_logger_that_is_broken_never_reaches_the_shop():
    class Log:
        def warning(self, *args):
            raise OSError("disk full")
    shadow = Shadow(Old(), new(), log=Log())
    assert shadow.call("create_direct_pay_by_user_url", body="", **ORDER)
    assert shadow.counts["failed"] >= 1


def test_of_what_sends_only_the_old_one_runs_and_the_new_request_is_compared(caplog):
    old, shop = Old(add_alipay_qrcode="answer"), new()
    shadow = Shadow(old, shop, reads=True)
    assert shadow.call("add_alipay_qrcode", biz_data='{"a": "b"}', biz_type="10") == "answer"
    assert sent(shop) == [] and old.ran == ["add_alipay_qrcode"] and shadow.counts == {"calls": 1}
    shadow.call("add_alipay_qrcode", biz_data='{"a": "b"}', biz_type="10", memo="")
    assert shadow.counts["add_alipay_qrcode", "memo"] == 1


TRADE = {"out_trade_no": "A1", "trade_status": "TRADE_SUCCESS", "seller_id": PID, "total_fee": "8.00"}


def test_a_query_is_not_asked_twice_unless_reads_are_allowed():
    answer, shop = signed_answer(**TRADE), new(signed_answer(**TRADE))
    old = Old(single_trade_query=answer.decode())
    shadow = Shadow(old, shop)
    assert shadow.call("single_trade_query", out_trade_no="A1") == answer.decode()
    assert sent(shop) == [] and shadow.counts == {"calls": 1}
    shadow = Shadow(old, shop, reads=True)
    assert shadow.call("single_trade_query", out_trade_no="A1") == answer.decode()
    assert len(sent(shop)) == 1 and shadow.counts == {"calls": 1}


@pytest.mark.parametrize("theirs, ours, field", [
    (signed_answer(**dict(TRADE, total_fee="9.00")), signed_answer(**TRADE), "total_fee"),
    (signed_answer(**TRADE), refusal("TRADE_NOT_EXIST"), "error"), (b"busy", signed_answer(**TRADE), "(xml)"),
    (signed_answer(**TRADE), signed_answer(**TRADE).replace(b"8.00", b"0.01"), "(raises)"),
])
def test_answers_that_differ_are_told_of_by_element(theirs, ours, field):
    shadow = Shadow(Old(single_trade_query=theirs.decode()), new(ours), reads=True)
    shadow.call("single_trade_query", out_trade_no="A1")
    assert shadow.counts["single_trade_query", field] == 1


@pytest.mark.parametrize("fields, verdict, told", [
    (notification(), True, 0), (notification(body=""), False, 1), (dict(notification(), total_fee="0.01"), False, 0),
    (dict(notification(), sign_type="RSA"), True, 1)])
@pytest.mark.parametrize("reads", [False, True])
def test_a_notification_is_checked_by_both_and_the_old_verdict_counts(fields, verdict, told, reads):
    shop = new(b"true")
    shadow = Shadow(Old(verify_notify=verdict), shop, reads=reads)
    assert shadow.call("verify_notify", **fields) is verdict
    assert shadow.counts["differing"] == told
    assert reads or sent(shop) == []


def test_a_field_may_be_called_name():
    shadow = Shadow(Old(verify_notify=False), new())
    assert shadow.call("verify_notify", **{"name": "x", "this": "z"}) is False
    with pytest.raises(TypeError):
        shadow.call("verify_notify", **{"self": "y"})      # as without a shadow
    assert shadow.counts["calls"] == 2


def test_what_is_not_known_is_the_old_ones_alone():
    shadow = Shadow(Old(), Broken())
    assert shadow.call("made_by_the_shop", 1, a=2) == ((1,), {"a": 2})
    assert shadow.counts == {"calls": 1, "not compared": 1}


def test_wap_without_a_token_sends_no_second_request():
    class OldWap:
        def create_direct_pay_by_user_url(self, **kw):
            return "https://wappaygw.alipay.com/service/rest.htm?sign=x"

        def create_direct_pay_token_url(self, **kw):
            return "http://wappaygw.alipay.com/service/rest.htm?req_data=x&sign=x"
    shop = lxneng.WapAlipay(PID, KEY, EMAIL, transport=Script(b"x"))
    shadow = Shadow(OldWap(), shop)
    shadow.call("create_direct_pay_by_user_url", subject="t", out_trade_no="A1", total_fee="1",
                seller_account_name=EMAIL, call_back_url="https://shop.example.com/b")
    assert sent(shop) == [] and shadow.counts["create_direct_pay_by_user_url", "(gateway)"] == 1
    shadow.call("create_direct_pay_by_user_url", token="abc")
    assert sent(shop) == [] and shadow.counts["calls"] == 2


def test_functions_of_a_module_are_compared_too(monkeypatch):
    for name in ("ALIPAY_PARTNER", "ALIPAY_KEY", "ALIPAY_SELLER_EMAIL"):
        monkeypatch.setattr(fengli.settings, name, "")
    monkeypatch.setattr(fengli, "_clients", {})
    fengli.configure({"ALIPAY_PARTNER": PID, "ALIPAY_KEY": KEY, "ALIPAY_SELLER_EMAIL": EMAIL})

    class Module:
        @staticmethod
        def send_goods_confirm_by_platform(tn):
            return fengli.send_goods_confirm_by_platform(tn)

        @staticmethod
        def notify_verify(post):
            return True
    shadow = Shadow(Module, fengli)
    assert shadow.call("send_goods_confirm_by_platform", "2017").startswith(GATEWAY)
    assert shadow.call("notify_verify", notification()) is True
    assert shadow.counts == {"calls": 2}
    shadow.call("notify_verify", dict(notification(), sign=""))
    assert shadow.counts["notify_verify", "(verdict)"] == 1


def test_threads_share_one_shadow():
    shadow = Shadow(Old(), new())
    threads = [threading.Thread(target=lambda: [shadow.call("create_direct_pay_by_user_url", body="", **ORDER)
                                                for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert shadow.counts["calls"] == shadow.counts["create_direct_pay_by_user_url", "body"] == 100


def test_the_level_is_a_warning(caplog):
    caplog.set_level(logging.WARNING)
    Shadow(Old(), new()).call("create_direct_pay_by_user_url", body="", **ORDER)
    assert {record.levelname for record in caplog.records} == {"WARNING"}
