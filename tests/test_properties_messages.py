"""What holds for every message, whatever is in it. The numbers are those of the project's list of properties.

Signs are made by hashlib and openssl (``genuine``), readings are compared with the standard library.
"""
import base64
import itertools
import pickle
import re
import threading
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alipay_mapi import fields, form_body
from alipay_mapi.app_result import verify_app_result
from alipay_mapi.errors import AlipayError, AmountMismatch, InvalidRequest, SignatureInvalid, UntrustedMessage
from alipay_mapi.merchant import Merchant
from alipay_mapi.notification import verify_notify
from alipay_mapi.order import Order
from alipay_mapi.request import build_request
from alipay_mapi.response import parse_response
from alipay_mapi.synchronous_return import verify_return
from alipay_mapi.trade_state import TradeState
from genuine import (DIRECT, FOREX, MD5_KEY, PARTNER, REFUND, RETURN, answer, app_result, changed, form, message,
                     presign,
                     shop, sign, signed)

often = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

YUAN = Order("A1", total_fee="8.00")
USD = Order("A1", total_fee="8.00", currency="USD")

LINES = "\t\n\x0b\x0c\r"
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_.-[]"), min_size=1, max_size=12).filter(
    lambda name: name not in fields.NAMES)
pairs = st.dictionaries(names, texts, max_size=8)
wire_names = st.binary(min_size=1, max_size=20).map(
    lambda raw: bytes(b for b in raw if b > 0x1f and b not in b"\x7f&=")).filter(bool)
wire_values = st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b""))


def outcome(verify, *args, **options):
    """("value", mapping) or ("refused", class): nothing else may come out."""
    try:
        return "value", dict(verify(*args, **options))
    except AlipayError as error:
        return "refused", type(error)


CUT = re.compile("&({})=".format("|".join(sorted(fields.NAMES))))


def harmless(extra):
    """Signed text that no other reading exists of."""
    return not any(CUT.search(value) for value in extra.values())


# --- 2, 4: the sign covers everything, and nothing else ---------------------------------------------------------

@often
@given(st.integers(min_value=0), st.integers(0, 7))
def test_property_2_any_changed_bit_of_what_is_signed_is_refused(place, bit):
    genuine = [(name.encode(), value.encode()) for name, value in sorted(DIRECT.items())]
    flat = [(number, side, offset) for number, pair in enumerate(genuine) for side in (0, 1)
            for offset in range(len(pair[side]))]
    number, side, offset = flat[place % len(flat)]
    pair = [bytearray(half) for half in genuine[number]]
    pair[side][offset] ^= 1 << bit
    altered = genuine[:number] + [tuple(map(bytes, pair))] + genuine[number + 1:]
    for sign_type in ("MD5", "RSA2"):
        tail = [(name, signed(DIRECT, sign_type)[name]) for name in ("sign", "sign_type")]
        assert verify_notify(shop(sign_type), form(genuine + tail), order=YUAN).is_paid
        assert outcome(verify_notify, shop(sign_type), form(altered + tail))[0] == "refused"


@often
@given(st.integers(min_value=0), st.integers(0, 7))
def test_property_2_a_changed_bit_of_the_bytes_changes_nothing_or_is_refused(place, bit):
    """%2F and %2f are two spellings of one message; nothing else is."""
    for body, merchant in ((message(FOREX), shop()), (message(DIRECT, "RSA2"), shop("RSA2"))):
        raw = bytearray(body)
        raw[place % len(raw)] ^= 1 << bit
        kind, value = outcome(verify_notify, merchant, bytes(raw))
        if kind == "value":
            assert value == outcome(verify_notify, merchant, body)[1]
            assert bytes(raw).lower() == body.lower()


@often
@given(st.integers(0, 255), st.integers(0, 7), st.sampled_from(["RSA", "RSA2", "DSA"]))
def test_property_2_any_changed_bit_of_the_sign_is_refused(place, bit, sign_type):
    whole = signed(DIRECT, sign_type)
    raw = bytearray(base64.b64decode(whole["sign"]))
    raw[place % len(raw)] ^= 1 << bit
    body = form(dict(whole, sign=base64.b64encode(raw).decode()))
    assert outcome(verify_notify, shop(sign_type), body) == ("refused", SignatureInvalid)


@often
@given(st.integers(0, 31), st.integers(0, 6))
def test_property_2_any_changed_bit_of_the_key_is_refused(place, bit):
    key = bytearray(MD5_KEY.encode())
    key[place] ^= 1 << bit
    assume(0x21 <= key[place] <= 0x7e)
    assert outcome(verify_notify, Merchant(PARTNER, "MD5", md5_key=bytes(key)), message(FOREX)) == \
        ("refused", SignatureInvalid)


@often
@given(pairs, st.randoms(use_true_random=False), st.sampled_from(["utf-8", "gb18030"]))
def test_property_3_the_order_of_parameters_does_not_matter(extra, random, charset):
    assume(harmless(extra))
    whole = list(signed(dict(FOREX, **extra), charset=charset).items())
    random.shuffle(whole)
    note = verify_notify(shop(input_charset=charset), form(whole, charset), "application/x-www-form-urlencoded;charset="
                         + charset, USD)
    assert note.is_paid and set(note) >= set(FOREX)


@often
@given(st.lists(names, unique=True, max_size=6), names, texts.filter(bool))
def test_property_4_an_empty_parameter_does_not_matter_and_any_other_does(empty, name, value):
    body = message(FOREX)
    padded = b"&".join([body] + [form([(extra, "")]) for extra in empty])
    assert dict(verify_notify(shop(), padded, order=USD)) == FOREX
    assume(name not in empty)
    assert outcome(verify_notify, shop(), padded + b"&" + form([(name, value)])) == ("refused", SignatureInvalid)
    dropped = sorted(FOREX)[len(value) % len(FOREX)]
    assert outcome(verify_notify, shop(), form(changed(signed(FOREX), dropped)))[0] == "refused"


# --- 5, 6: reading ----------------------------------------------------------------------------------------------

@often
@given(st.dictionaries(wire_names, wire_values, min_size=1, max_size=12))
@example({b"a": b"%2F+ &=;", b"\xb2\xe2": b"\r\n"})
def test_property_5_what_is_encoded_is_read_back(params):
    assert form_body.parse(form(params)) == params


@often
@given(pairs)
def test_property_5_every_text_that_was_signed_is_handed_out_as_it_was(extra):
    assume(harmless(extra))
    params = dict(FOREX, **extra)
    assert dict(verify_notify(shop(), message(params))) == {name: value for name, value in params.items() if value}


legal = st.lists(st.tuples(st.text("ab%2F+ []", min_size=1, max_size=6), st.text("ab=%2F+ ;é", max_size=8)),
                 min_size=1, max_size=6)


@often
@given(legal, st.booleans())
def test_property_6_what_is_legal_is_read_as_by_the_standard_library(params, encode_all):
    raw = form(params) if encode_all else b"&".join(
        name.replace("%", "%25").encode() + b"=" + value.replace("%", "%25").encode() for name, value in params)
    read = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, strict_parsing=True)
    if len(dict(read)) < len(read):
        assert outcome(form_body.parse, raw)[0] == "refused"
    else:
        assert form_body.parse(raw) == {name.encode(): value.encode() for name, value in read}


# --- 7, 8, 24: any bytes ----------------------------------------------------------------------------------------

GOOD = [message(FOREX), message(DIRECT, "RSA2"), message(RETURN), message(REFUND), message(DIRECT, charset="gbk"),
        app_result([("partner", PARTNER), ("service", "mobile.securitypay.pay"), ("subject", "茶"),
                    ("success", "true")]).encode("utf-8")]
WORDS = [b"&", b"=", b"%", b"+", b"%00", b"\0", b"sign=", b"&sign_type=MD5", b"&sign_type=RSA2", b"&notify_id=1",
         b"service=x",
         b"&a=1", b"\xff", b"\xe6\xb5", b"\xed\xa0\x80", b"%ff", b"resultStatus={9000};memo={", b"};result={", b'"',
         b"}", b"\\\"",
         b'&sign_type="RSA"&sign="', b"&_input_charset=utf-16", b"&total_fee=1e9", b"&total_fee[]=1", b";", b"\r\n"]
HEADERS = [None, "", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=gbk",
           "application/x-www-form-urlencoded; charset=utf-7", "application/json", ";" * 50, b"\xff"]


@st.composite
def damaged(draw):
    """A genuine message with pieces cut out, doubled or put in."""
    raw = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 4))):
        at, to = sorted([draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))])
        middle = draw(st.one_of(st.just(b""), st.binary(max_size=6), st.sampled_from(WORDS), st.just(raw[at:to] * 2)))
        raw = raw[:at] + middle + raw[to:] if draw(st.booleans()) else raw[:at] + middle + raw[at:]
    return raw


anything = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(WORDS + GOOD), max_size=8).map(b"".join),
                     damaged())


@often
@given(anything, st.sampled_from(HEADERS), st.sampled_from(["MD5", "RSA", "RSA2", "DSA"]),
       st.sampled_from([None, "gbk", "utf-8"]))
def test_property_7_and_24_any_bytes_are_a_value_or_one_of_our_errors(raw, header, sign_type, charset):
    merchant = shop(sign_type, input_charset=charset)
    for verify, args, options in [
            (verify_notify, (raw, header), {"order": YUAN, "confirm": lambda notify_id: False}),
            (verify_notify, (bytearray(raw), header), {}),
            (verify_return, (raw, YUAN), {}), (verify_return, (raw.decode("latin-1"),), {}),
            (verify_app_result, (raw,), {}), (verify_app_result, (raw.decode("utf-8", "surrogateescape"),), {})]:
        try:
            value = verify(merchant, *args, **options)
        except AlipayError as error:
            assert str(error).isprintable() and repr(error.facts).isprintable()
            assert len(str(error)) < 500
        else:
            assert repr(value).isprintable()
            assert not {"sign", "sign_type"} & set(value) and all(value.values())


@often
@given(anything)
def test_property_7_nothing_that_was_altered_is_believed(raw):
    """Whatever is accepted says what one of the genuine messages says."""
    said = [dict(verify_notify(shop(), body)) for body in (GOOD[0], GOOD[3])] + \
        [dict(verify_notify(shop(), GOOD[4], "application/x-www-form-urlencoded; charset=gbk"))]
    kind, value = outcome(verify_notify, shop(), raw)
    assert kind == "refused" or value in said


@often
@given(st.text(max_size=200))
def test_property_7_any_text_is_a_value_or_one_of_our_errors(text):
    for sign_type in ("MD5", "RSA"):
        for verify in (verify_return, verify_app_result):
            assert outcome(verify, shop(sign_type), text)[0] == "refused"
        assert outcome(verify_app_result, shop(sign_type),
                       'a="' + text + '"&sign_type="RSA"&sign="' + text + '"')[0] == "refused"


@often
@given(anything)
def test_property_8_no_verdict_changes_what_was_given(raw):
    body, params = bytearray(raw), dict(FOREX, subject="Tea")
    outcome(verify_notify, shop(), body, order=USD)
    outcome(verify_return, shop(), body, order=USD)
    outcome(verify_app_result, shop("RSA"), body)
    assert bytes(body) == raw
    note = verify_notify(shop(), message(params), order=USD)
    before = dict(note)
    TradeState(USD).apply(note)
    assert dict(note) == before and USD == Order("A1", total_fee="8.00", currency="USD")


# --- 9: the signed text, cut at random places -------------------------------------------------------------------

INJECTED = ["&{}=".format(name) for name in ("notify_id", "notify_type", "out_trade_no", "seller_id", "total_fee",
                                             "trade_no",
                                            "trade_status", "currency", "x", "zz", "a")]
VALUES = ["A1", "8.00", "TRADE_FINISHED", "trade_status_sync", "n1", "USD", PARTNER, "", "text"]
written = st.lists(st.tuples(st.sampled_from(INJECTED), st.sampled_from(VALUES)), max_size=6).map(
    lambda parts: "t" + "".join(itertools.chain.from_iterable(parts)))


def cuts(draw, text):
    """The same text as another list of pairs: any & may separate or stand inside a value."""
    parts = [[part] for part in text.split("&")[:1]]
    for part in text.split("&")[1:]:
        if "=" in part and not part.startswith("=") and draw(st.integers(0, 3)):
            parts.append([part])
        else:
            parts[-1].append(part)
    return ["&".join(part).partition("=")[::2] for part in parts]


@st.composite
def re_cut(draw):
    """(sign_type, the genuine pairs, another cut of their text)."""
    base, sign_type = draw(st.sampled_from([
        (RETURN, "MD5"), (changed(RETURN, out_trade_no="B7", total_fee="0.01"), "RSA"),
        ({"service": "create_forex_trade", "partner": PARTNER, "_input_charset": "utf-8", "out_trade_no": "A1",
          "total_fee": "8.00", "currency": "USD", "notify_url": "https://shop.example/n"}, "MD5")]))
    texts = draw(st.lists(written, min_size=2, max_size=2)) if sign_type == "MD5" else draw(st.sampled_from(
        [["t", "t"], ["b&notify_id=n1&notify_type=trade_status_sync&out_trade_no=A1&pay=",
                      "s&total_fee=8.00&trade_no=2018&trade_status=TRADE_SUCCESS&x="]]))
    genuine = dict(base, body=texts[0], subject=texts[1])
    return sign_type, genuine, cuts(draw, presign(genuine).decode("utf-8"))


@often
@given(re_cut(), st.integers(0, 9))
def test_property_9_a_request_or_a_return_cut_anywhere_is_never_a_notification(case, padding):
    sign_type, genuine, parts = case
    tail = [("sign", sign(presign(genuine), sign_type)), ("sign_type", sign_type)]
    empty = [("e{}".format(number), "") for number in range(padding)]
    assert outcome(verify_notify, shop(sign_type), form(parts + empty + tail), order=None,
                   confirm=lambda notify_id: True)[0] == "refused"


@often
@given(texts, texts, st.data())
def test_property_9_nor_is_what_our_builder_signs(subject, body, data):
    params = {"out_trade_no": "A1", "total_fee": "8.00", "currency": "USD", "subject": subject, "body": body}
    try:
        request = build_request(shop(), "create_forex_trade", params)
    except InvalidRequest:
        assume(False)
    parts = cuts(data.draw, request.presign)
    tail = [("sign", request.sign), ("sign_type", "MD5")]
    for verify in (verify_notify, verify_return):
        assert outcome(verify, shop(), form(parts + tail))[0] == "refused"
        assert issubclass(outcome(verify, shop(), form(dict(request.params)))[1], UntrustedMessage)


# --- 10, 15 -----------------------------------------------------------------------------------------------------

@often
@given(st.sampled_from(["RSA", "RSA2", "DSA", "MD5"]), st.integers(min_value=0),
       st.sampled_from(list("=-_!\n\r\t .,~") + ["", "é", "%"]),
       st.booleans())
def test_property_10_a_sign_spelled_differently_is_refused(sign_type, place, junk, replace):
    whole = signed(DIRECT, sign_type)
    at = place % (len(whole["sign"]) + 1)
    text = whole["sign"][:at] + junk + whole["sign"][at + (1 if replace else 0):]
    assume(text != whole["sign"] and text.replace(" ", "+") != whole["sign"])
    assert outcome(verify_notify, shop(sign_type), form(dict(whole, sign=text)))[0] == "refused"


def same_amount(text, price):
    """Written without the package: ASCII digits, no leading zero, at most two decimals, equal as a number."""
    whole, point, cents = text.partition(".")
    plain = bool(whole) and set(whole + cents) <= set("0123456789") and (whole == "0" or not whole.startswith("0")) \
        and len(whole) <= 12 and (not point or 1 <= len(cents) <= 2)
    return plain and int(whole) * 100 + int(cents.ljust(2, "0") or 0) == price


amounts = st.one_of(
    st.integers(1, 10 ** 9).map(lambda cents: "{}.{:02d}".format(cents // 100, cents % 100)),
    st.sampled_from(["8", "8.0", "8.00", "8.000", "08.00", "8e0", "NaN", "８", "8_0", " 8.00", "8.", "+8.00",
                     "7.999", "Infinity"]),
    st.text("0123456789.eE+-_ ８٨", min_size=1, max_size=8), texts.filter(bool))


@often
@given(amounts, st.sampled_from(["8.00", "8", "0.01", "1234.50", "9999999.99"]))
def test_property_15_an_amount_is_accepted_iff_it_is_plain_and_equal(text, price):
    order = Order("A1", total_fee=price, currency="USD")
    body = message(changed(FOREX, total_fee=text))
    assume(harmless({"": text}))
    if same_amount(text, int(Decimal(price) * 100)):
        assert verify_notify(shop(), body, order=order).is_paid
    else:
        assert outcome(verify_notify, shop(), body, order=order) == ("refused", AmountMismatch)
    if same_amount(text, int(Decimal(text) * 100) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text, re.ASCII)
                   else -1):
        assert verify_notify(shop(), body).total_fee == Decimal(text)


# --- 16, 17, 18: the state --------------------------------------------------------------------------------------

def heard(base=FOREX, *without, **changes):
    return verify_notify(shop(), message(changed(base, *without, **changes)))


def queried(word, trade, **more):
    content = dict({"out_trade_no": "A1", "trade_no": trade, "trade_status": word, "total_fee": "8.00",
                    "seller_id": PARTNER},
                   **more)
    return parse_response(shop(), answer(content), asked={"service": "single_trade_query", "out_trade_no": "A1"})


WORDS_OF_A_TRADE = ["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED", "TRADE_PENDING"]
NEWS = [heard(trade_status=word, trade_no=trade, notify_id="n-" + word + trade)
        for word in WORDS_OF_A_TRADE for trade in ("T1", "T2")]
NEWS += [queried(word, trade) for word in WORDS_OF_A_TRADE[:4] for trade in ("T1", "T2")]
NEWS += [queried("TRADE_CLOSED", "T1", gmt_payment="2017-03-05 18:17:17", to_buyer_fee="8.00",
                 refund_status="REFUND_SUCCESS")]
NEWS += [heard(trade_status="TRADE_FINISHED", trade_no="T1", notify_id="n-TRADE_FINISHEDT1",
               notify_time="2018-04-11 20:12:28"),
         heard(trade_status="TRADE_FINISHED", trade_no="T1", notify_id="n-WAIT_BUYER_PAYT1"),
         heard(trade_status="TRADE_FINISHED", trade_no="T1", total_fee="0.01", notify_id="n-cheap"),
         heard(trade_status="TRADE_FINISHED", trade_no="T1", currency="EUR", notify_id="n-eur")]
NEWS += [heard(REFUND, out_return_no=number, refund_status=word, notify_id="n-" + word + number)
         for number in ("R1", "R2") for word in ("REFUND_SUCCESS", "REFUND_FAIL")]
ORDERS = [USD, YUAN, Order("A1", rmb_fee="8.00", currency="USD"), Order("A1", total_fee="8.00", currency="EUR")]
RANKED = {"closed": 4, "refunded": 4, "paid": 2, "waiting": 1, None: 0, "needs_a_person": 0}


def after(order, news):
    state, handed_out = TradeState(order), []
    for message_ in news:
        state, effects = state.apply(message_)
        handed_out += effects
    return state, handed_out


@often
@given(st.sampled_from(ORDERS), st.lists(st.sampled_from(NEWS), max_size=12), st.randoms(use_true_random=False))
def test_property_17_and_18_any_order_and_any_repetition_gives_the_same_state(order, news, random):
    """Notifications, queries, refunds; late, early, twice."""
    state, handed_out = after(order, news)
    again = news + (random.sample(news, random.randint(1, len(news))) if news else [])
    random.shuffle(again)
    other, others_effects = after(order, again)
    assert (other, other.status, other.rank) == (state, state.status, state.rank)
    for effects in (handed_out, others_effects):
        keys = [effect.key for effect in effects]
        assert len(keys) == len(set(keys))
    # What the last state implies was handed out on every way to it.
    final = {effect for effect in handed_out if effect.kind in ("refunded", "needs_a_person") and effect.detail}
    assert final <= set(others_effects)
    if state.status in ("paid", "refunded", "closed"):
        assert state.status in [e.kind for e in handed_out] and state.status in [e.kind for e in others_effects]


def test_property_17_one_delivery_is_as_good_as_eight():
    for one in NEWS:
        for order in ORDERS:
            assert after(order, [one] * 8) == after(order, [one])


class Life(RuleBasedStateMachine):
    """16: a life of an order, step by step."""

    def __init__(self):
        super().__init__()
        self.state, self.handed_out, self.paid_in_full = TradeState(USD), [], False

    def take(self, news):
        before = self.state
        self.state, effects = self.state.apply(news)
        self.handed_out += effects
        assert self.state.rank >= before.rank
        assert before.status is None or self.state.status is not None
        if before.status in ("paid", "refunded"):
            # What was paid with its amount compared stays so; what an answer alone said may be contradicted.
            assert self.state.status in ("paid", "refunded") or (
                self.state.status == "needs_a_person" and not before.paid_trades)
            assert "closed" not in [effect.kind for effect in effects]
        assert before.paid_trades <= self.state.paid_trades and before.refunds <= self.state.refunds

    @rule(news=st.sampled_from(NEWS))
    def any_news(self, news):
        self.take(news)

    @rule()
    def payment(self):
        self.take(NEWS[4])
        assert self.state.status in ("paid", "refunded")

    @precondition(lambda self: self.state.status == "paid")
    @rule()
    def all_is_closed_after_the_payment(self):
        for trade in self.state.paid:
            self.take(heard(trade_status="TRADE_CLOSED", trade_no=trade, notify_id="c-" + trade))
        assert self.state.status == "refunded"
        assert ("refunded", "") in [(effect.kind, effect.detail) for effect in self.handed_out]

    @rule(number=st.sampled_from(["R1", "R2", "R3"]))
    def refund(self, number):
        self.take(heard(REFUND, out_return_no=number, notify_id="r-" + number))
        assert (number, "REFUND_SUCCESS") in self.state.refunds

    @invariant()
    def every_effect_was_handed_out_once(self):
        assert len(self.handed_out) == len({effect.key for effect in self.handed_out})
        assert set(self.handed_out) == self.state.done
        assert [effect.kind for effect in self.handed_out].count("paid") <= 1

    @invariant()
    def two_paid_trades_are_flagged(self):
        flagged = "paid twice, in two trades" in [effect.detail for effect in self.handed_out]
        assert flagged is (len(self.state.paid_trades | self.state.answered) > 1)

    @invariant()
    def rank_is_no_lower_than_the_status(self):
        assert self.state.rank >= RANKED[self.state.status]


TestLife = Life.TestCase
TestLife.settings = settings(stateful_step_count=8)


@pytest.mark.parametrize("news,payments", [([NEWS[4]] * 8 + [NEWS[12]] * 8, {1}), (NEWS[:6] * 2, {1}), (NEWS, {0, 1})])
def test_property_17_threads_that_share_a_cell_get_one_payment_between_them(news, payments):
    """T-50 as far as this layer goes: compare-and-swap on the state is all that a store has to do."""
    cell, lock, handed_out, gate = [TradeState(USD)], threading.Lock(), [], threading.Barrier(len(news))

    def deliver(one):
        gate.wait()
        while True:
            before = cell[0]
            state, effects = before.apply(one)
            with lock:
                if cell[0] is before:
                    cell[0] = state
                    handed_out.extend(effects)
                    return

    workers = [threading.Thread(target=deliver, args=(one,)) for one in news]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert cell[0] == after(USD, news)[0]
    keys = [effect.key for effect in handed_out]
    assert len(keys) == len(set(keys))
    # None at all when the first news was that the trade is closed already.
    assert [effect.kind for effect in handed_out].count("paid") in payments


def test_property_17_verifying_is_safe_in_threads():
    merchant, wrong, body = shop("RSA2"), [], message(DIRECT, "RSA2")

    def work():
        for _ in range(20):
            if not verify_notify(merchant, body, order=YUAN).is_paid or outcome(
                    verify_notify, merchant, body.replace(b"8.00", b"0.01"))[0] != "refused":
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_property_18_a_return_in_between_changes_nothing():
    back = verify_return(shop(), message(changed(RETURN)))
    told, asked = NEWS[4], NEWS[14]
    for news in itertools.permutations([told, back, asked]):
        state = TradeState(USD)
        for one in news:
            if one is back:
                with pytest.raises(InvalidRequest):
                    state.apply(one)
            else:
                state, _ = state.apply(one)
        assert state == after(USD, [told, asked])[0] and state.status == "paid"


# --- 23 ---------------------------------------------------------------------------------------------------------

@often
@given(pairs, st.sampled_from([repr, str, "{}".format, "{!r}".format, lambda value: repr([value])]))
def test_property_23_nothing_that_is_handed_out_shows_a_secret(extra, show):
    assume(harmless(extra))
    private = {"buyer_email": "canary@example.com", "buyer_id": "2088000000777777", "receive_mobile": "13900001234"}
    params = dict(changed(DIRECT, **private), **extra)
    body = message(params)
    note = verify_notify(shop(), body, order=YUAN)
    back = verify_return(shop(), body, order=YUAN)
    state, effects = TradeState(YUAN).apply(note)
    secrets = [MD5_KEY, sign(presign(params))] + list(private.values())
    for value in (note, back, state, effects, YUAN, note.passed, note.unchecked, shop()):
        text = show(value)
        assert not [secret for secret in secrets if secret in text]
    for value in (note, back, state):
        pickled = pickle.dumps(value)
        assert pickle.loads(pickled) == value and not [s for s in secrets[:2] if s.encode() in pickled]
