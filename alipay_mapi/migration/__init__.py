"""From MAPI to the gateways that follow it: what a call becomes there, and what an answer from there means here.

``translate`` is pure: a MAPI call becomes the requests of AMS or of OpenAPI, or a list of named refusals. ``reading``
is the way back: a checked AMS message becomes the facts that ``TradeState`` takes. ``ams`` signs and checks that
gateway's messages; ``openapi`` has its place, and so far only its result codes.

>>> import datetime
>>> from alipay_mapi.migration.translate import Context, translate
>>> now = datetime.datetime(2026, 5, 12, 4, 0, tzinfo=datetime.timezone.utc)
>>> asked = translate("single_trade_query", {"out_trade_no": "A1"}, "ams", Context(now=now))
>>> asked.steps[0].name, asked.steps[0].content
('payments/inquiryPayment', {'paymentRequestId': 'A1'})
"""
