"""Whatever a client signs, the gateway answers: never an exception, and signed exactly where Alipay signs."""
import random
from datetime import datetime, timedelta, timezone

import pytest
from signed_by_hand import MD5, Read, check, presign, send

from alipay_mapi.emulator import Emulator, Refused
from alipay_mapi.emulator.handlers import HANDLERS
from alipay_mapi.fields import FIELDS
from alipay_mapi.services import SERVICES

NOON = datetime(2026, 11, 18, 12, 0, 0, tzinfo=timezone(timedelta(hours=8)))
#: Alipay signs no acceptance of these either.
UNSIGNED = ("forex_refund", "close_trade", "refund_fastpay_by_platform_nopwd")

USUAL = {
    "out_trade_no": "A1", "subject": "Tea", "currency": "USD", "total_fee": "10.00", "payment_type": "1",
    "seller_id": MD5, "out_return_no": "R1", "return_amount": "1.00", "gmt_return": "20261118120000",
    "timestamp": "2026-11-18 12:00:00", "secondary_merchant_id": "tea_1", "start_date": "20261117",
    "end_date": "20261117", "price": "1.00", "quantity": "1", "logistics_type": "EXPRESS", "logistics_fee": "0.00",
    "logistics_payment": "SELLER_PAY", "batch_no": "20261118001", "batch_num": "1",
    "secondary_merchant_industry": "5499", "secondary_merchant_name": "Tea", "register_country": "CN",
    "register_address": "Hangzhou", "site_infos": '[{"site_type":"WEB","site_url":"https://tea.example.com/"}]',
    "payment_method": "ONLINE_PAYMENT",
}
ODD = (
    "", "0", "1", "-1", "A1", "10.00", "CNY", "USD", "JPY", "XAU", "2026-11-18 12:00:00", "20261118", "Y", "茶", '"',
    "1c", "1d", "99999999d", "^|#$", "1^2^3", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "00010101", "99991231",
    "9999999999999", "0.01", "100000000.00", "600", "4121", "[]", "{}", "\ud7ff", "\U0010ffff", "\x01", "a" * 3000,
    "٣", "2088999999999999", "md5@shop.example.com", "rsa@shop.example.com^1.00^x", "https://shop.example.com/",
)


def a_request(draw):
    """A service and parameters: some of the usual ones, some of them odd, and some of other pages."""
    service = draw.choice(sorted(HANDLERS))
    row = SERVICES.get(service)
    names = sorted(row.names) if row is not None and row.names else sorted(USUAL)
    params = {name: USUAL[name] for name in names if name in USUAL and (
        draw.random() < (0.9 if row is not None and name in row.required else 0.5))}
    for _ in range(draw.randint(0, 3)):
        params[draw.choice(names if draw.random() < 0.7 else sorted(FIELDS))] = draw.choice(ODD)
    if draw.random() < 0.5:
        params["out_trade_no"] = "A{}".format(draw.randint(0, 100))
    return service, {name: value for name, value in params.items()
                     if name not in ("service", "partner", "sign_type", "_input_charset")}


@pytest.mark.parametrize("seed", range(4))
def test_every_signed_request_is_answered_and_signed_where_alipay_signs(seed):
    draw, answered = random.Random(seed), set()
    with Emulator(seed=seed, frozen=True, start=NOON) as emulator:
        keys = emulator.merchant("md5").shop_keys()
        for _ in range(400):
            service, params = a_request(draw)
            outcome = send(emulator, service, **params)
            if outcome.error is None:
                answered.add(service)
            if outcome.trade is not None and draw.random() < 0.5:
                try:
                    emulator.pay(outcome.trade["out_trade_no"])
                except Refused:
                    pass
            if outcome.reply is None or outcome.reply.content_type != "text/xml":
                continue
            read = Read(outcome.reply.body)
            if outcome.error is not None:
                assert (read.is_success, read.error, read.sign) == ("F", outcome.error, None)
            elif service in UNSIGNED:
                assert read.sign is None and read.container is None
            else:
                check("MD5", keys, presign(read.elements).encode("utf-8"), read.sign)
    assert len(answered) > 8        # it is not all refused
