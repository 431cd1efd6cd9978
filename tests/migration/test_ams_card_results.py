"""``ams/card_results.py``: AVS, CVV, 3-D Secure and the card, from checked messages alone. The raw codes' meanings are
written out by hand from the schemes' published tables."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.errors import InvalidRequest
from alipay_mapi.migration.ams import verify_answer, verify_notification
from alipay_mapi.migration.ams import card_results
from alipay_mapi.migration.ams.answers import AmsAnswer
from alipay_mapi.migration.ams.card_results import Check, card_result
from migration_samples import INQUIRY, PAY, account, answer_headers, dumped, notification_headers, result

RESULT = {"cardNo": "411111******1111", "cardBrand": "VISA", "cardToken": "ALIPAYtoken==", "issuingCountry": "US",
          "funding": "CREDIT", "paymentMethodRegion": "GLOBAL", "avsResultRaw": "Z", "cvvResultRaw": "M",
          "networkTransactionId": "N123",
          "threeDSResult": {"threeDSVersion": "2.2.0", "eci": "05", "cavv": "AAABBBCCC=", "dsTransactionId": "D1",
                            "challenged": True, "threeDSOffered": "true", "paResStatus": "Y", "liabilityShift": 1}}


def answer(content, path=PAY):
    body = dumped(dict({"result": result(), "paymentRequestId": "A1"}, **content))
    return verify_answer(account(), path, answer_headers(path, body), body)


def read(**members):
    """Without a signature of openssl's for each: the check is another module's, and tested below."""
    return card_result(AmsAnswer({"paymentResultInfo": members}, "t", True))


def three_ds(**members):
    return read(threeDSResult=members).three_ds


def test_the_same_is_read_from_pay_its_inquiry_and_the_notification():
    notice = dumped({"notifyType": "PAYMENT_RESULT", "result": result(), "paymentRequestId": "A1", "paymentId": "P1",
                     "paymentAmount": {"currency": "USD", "value": "1"}, "paymentResultInfo": RESULT})
    notified = verify_notification(account(), "/n", notification_headers("/n", notice), notice)
    for message in (answer({"paymentResultInfo": RESULT}), notified,
                    answer({"paymentStatus": "SUCCESS", "paymentResultInfo": RESULT}, INQUIRY)):
        found = card_result(message)
        assert found[:7] == ("VISA", "411111******1111", "1111", "ALIPAYtoken==", "CREDIT", "US", "N123")
        assert (found.avs, found.cvv) == (("postal", "Z"), ("matches", "M"))
        assert found.three_ds == ("authenticated", "05", "Y", True, True, "2.2.0", None, "shifted")


def test_the_older_inquiry_has_it_in_another_member():
    found = card_result(answer({"paymentStatus": "SUCCESS", "cardInfo": {
        "cardNo": "****1111", "cardBrand": "MASTERCARD", "cardToken": "T", "threeDSResult": {"eci": "01"}}}, INQUIRY))
    assert (found.brand, found.number, found.token, found.three_ds.word) == (
        "MASTERCARD", "****1111", "T", "attempted")
    assert (found.avs, found.cvv) == (Check("absent", None), Check("absent", None))
    both = card_result(AmsAnswer({"paymentResultInfo": {"cardBrand": "VISA"}, "cardInfo": {
        "cardBrand": "JCB", "cardToken": "T"}}, "t", True))
    assert (both.brand, both.token) == ("VISA", "T")


def test_a_wallets_answer_has_none():
    assert card_result(answer({"paymentStatus": "SUCCESS"}, INQUIRY)) is None
    assert card_result(AmsAnswer({"paymentResultInfo": "x"}, "t", True)) is None


def test_nothing_is_read_from_what_is_not_checked():
    unsigned = verify_answer(account(), PAY, {}, dumped({"result": result("F", "X"), "paymentResultInfo": RESULT}))
    for message in (unsigned, {"paymentResultInfo": RESULT}, None):
        with pytest.raises(InvalidRequest):
            card_result(message)


#: Scheme, letters, word: the schemes' tables, by hand.
AVS = [("VISA", "Y D M", "matches"), ("VISA", "A B", "street"), ("VISA", "Z P", "postal"), ("VISA", "N", "differs"),
       ("VISA", "C G I R U", "not_checked"), ("VISA", "X W 0 y YY", "unknown"),
       ("MASTERCARD", "X Y", "matches"), ("MASTERCARD", "A", "street"), ("MASTERCARD", "W Z", "postal"),
       ("MASTERCARD", "N", "differs"), ("MASTERCARD", "R S U", "not_checked"), ("MASTERCARD", "D M XY", "unknown"),
       ("AMEX", "Y", "matches"), ("AMEX", "A", "street"), ("AMEX", "Z", "postal"), ("AMEX", "N", "differs"),
       ("AMEX", "R S", "not_checked"), ("AMEX", "M L", "unknown"),
       ("DISCOVER", "A Y X N", "unknown"), ("JCB", "Y", "unknown"), (None, "Y N", "unknown")]
CVV = [("VISA", "M", "matches"), ("MASTERCARD", "N", "differs"), ("VISA", "S", "missing"),
       ("VISA", "P U", "not_checked"), ("MASTERCARD", "Y MN", "unknown"), ("AMEX", "M Y", "unknown"),
       (None, "M", "unknown")]


@pytest.mark.parametrize("brand, codes, word", AVS)
def test_an_avs_code_means_what_its_scheme_says_or_nothing(brand, codes, word):
    for code in codes.split():
        assert read(cardBrand=brand, avsResultRaw=code).avs == (word, code)
    assert word in card_results.AVS_WORDS


@pytest.mark.parametrize("brand, codes, word", CVV)
def test_a_cvv_code_likewise(brand, codes, word):
    for code in codes.split():
        assert read(cardBrand=brand, cvvResultRaw=code).cvv == (word, code)
    assert word in card_results.CVV_WORDS


@pytest.mark.parametrize("members, word", [
    ({"eci": "02"}, "authenticated"), ({"eci": "05"}, "authenticated"), ({"eci": "01"}, "attempted"),
    ({"eci": "06"}, "attempted"), ({"eci": "00"}, "none"), ({"eci": "07"}, "none"), ({"eci": "04"}, "data_only"),
    ({"eci": "5"}, "unknown"), ({"eci": "08"}, "unknown"), ({"eci": "08", "paResStatus": "Y"}, "unknown"),
    ({"paResStatus": "Y"}, "authenticated"), ({"paResStatus": "A"}, "attempted"), ({"paResStatus": "N"}, "failed"),
    ({"paResStatus": "R"}, "failed"), ({"paResStatus": "U"}, "unavailable"), ({"paResStatus": "C"}, "unknown"),
    ({"paResStatus": "?"}, "unknown"), ({"eci": "05", "paResStatus": "N"}, "unknown"),
    ({"eci": "05", "paResStatus": "U"}, "unknown"), ({"eci": "06", "paResStatus": "Y"}, "unknown"),
    ({"eci": "07", "paResStatus": "N"}, "failed"), ({"eci": "00", "paResStatus": "U"}, "unavailable"),
    ({"eci": "07", "paResStatus": "Y"}, "unknown"), ({"eci": "05", "paResStatus": "I"}, "authenticated"),
    ({"threeDSOffered": False}, "none"), ({"threeDSOffered": "true"}, "unknown"), ({}, "absent"),
    ({"eci": None, "paResStatus": None}, "absent")])
def test_3_d_secure_in_one_word_and_a_contradiction_is_unknown(members, word):
    found = three_ds(**members)
    assert (found.word, found.eci, found.status) == (word, members.get("eci"), members.get("paResStatus"))
    assert word in card_results.THREE_DS_WORDS


@pytest.mark.parametrize("value, word", [("1", "shifted"), ("0", "not_shifted"), ("-1", "unknown"), (None, "unknown"),
                                         (True, "unknown"), ("yes", "unknown")])
def test_who_bears_the_loss_is_not_guessed(value, word):
    assert three_ds(liabilityShift=value).liability == word


@pytest.mark.parametrize("name", ["threeDStransactionStatusReason", "threeDSTransactionStatusReason"])
def test_the_reason_is_read_in_both_spellings(name):
    assert three_ds(**{name: "11"}).reason == "11"


@pytest.mark.parametrize("came, shown, last_four", [
    ("4111111111111111", "411111******1111", "1111"), ("4111 1111 1111 1111", "411111******1111", "1111"),
    ("378282246310005", "378282*****0005", "0005"), ("411111111", "*********", None),
    ("****8888", "****8888", "8888"), ("x", "x", None)])
def test_a_number_that_comes_whole_is_masked_here(came, shown, last_four):
    found = read(cardNo=came)
    assert (found.number, found.last_four) == (shown, last_four)


def test_the_last_four_digits_of_their_own_member():
    assert read(lastFour="4242").last_four == "4242" and read(lastFour="42 2").last_four is None


def test_its_repr_has_neither_the_token_nor_the_schemes_number():
    shown = repr(card_result(answer({"paymentResultInfo": RESULT})))
    assert shown == "<CardResult VISA 411111******1111 avs=postal cvv=matches three_ds=authenticated token>"
    assert "cavv" not in repr(card_result(answer({"paymentResultInfo": RESULT})).three_ds)
    assert "AAABBB" not in repr(tuple(card_result(answer({"paymentResultInfo": RESULT}))))


ANY = st.none() | st.booleans() | st.text(max_size=4) | st.sampled_from(["Y", "N", "05", "VISA", "4111111111111111"])


@settings(max_examples=settings.default.max_examples // 3)
@given(st.dictionaries(st.sampled_from(sorted(RESULT)), ANY | st.dictionaries(
    st.sampled_from(sorted(RESULT["threeDSResult"])), ANY)))
def test_whatever_ams_says_of_a_card_is_read_with_a_word_of_the_list(members):
    found = read(**members)
    assert found.avs.word in card_results.AVS_WORDS and found.cvv.word in card_results.CVV_WORDS
    assert found.three_ds.word in card_results.THREE_DS_WORDS and "4111111111111111" not in repr(found)
