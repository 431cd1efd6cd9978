"""Every field name of the protocol that this library knows, and what its value must look like.

What belongs to a field is checked in every request, whatever the service; what belongs to a service (required,
exclusive, tighter lengths) is in ``services``. Lengths are the longest that any page allows, in characters.

:data:`NAMES` is also the list behind the re-cut rule of ``signing``: a pre-sign string escapes nothing, so text that
holds ``&total_fee=`` can be read as another parameter, and is neither sent nor believed.
"""
import re
from typing import Dict

TEXT, ID, AMOUNT, JSON, URL = "text", "id", "amount", "json", "url"


class Field:
    """One field: ``kind``, the ``rule`` in words, and ``match(value)``, true when the value keeps the rule."""

    __slots__ = ("name", "kind", "rule", "match", "_pattern")

    def __init__(self, name, kind, pattern, rule):
        self.name, self.kind, self.rule, self._pattern = name, kind, rule, pattern
        self.match = self._first_match

    def _first_match(self, value):
        # Compiled at the first use: a process uses a tenth of the table, and compiling all of it costs 30 ms.
        self.match = re.compile(self._pattern, re.ASCII | re.DOTALL).fullmatch
        return self.match(value)

    def __repr__(self):
        return "<Field {}: {}>".format(self.name, self.rule)


_TIME = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DAY = r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_PERIOD = r"[1-9][0-9]{0,5}[mhd]"
_FREE = '[^"\x00-\x08\x0b\x0c\x0e-\x1f\x7f]'


def _table():
    rows = {}

    def add(names, kind, pattern, rule):
        for name in names.split():
            rows[name] = Field(name, kind, pattern, rule)

    def text(names, longest):
        add(names, TEXT, _FREE + "{1,%d}" % longest,
            "1 to {} characters, without the quotation mark \" and control characters".format(longest))

    def ident(names, longest):
        add(names, ID, r"[!#-~](?:[ !#-~]{0,%d}[!#-~])?" % (longest - 2),
            "1 to {} printable ASCII characters, no quotation mark, no blank at either end".format(longest))

    # common
    add("service", ID, r"[A-Za-z][A-Za-z0-9_.]{0,63}", "the operation's name, such as single_trade_query")
    add("partner", ID, r"[0-9]{1,32}", "digits (16 of them, starting 2088)")
    add("_input_charset", ID, r"(?i:utf-?8|gbk|gb2312|gb18030)", "one of UTF-8, GBK, GB2312, GB18030")
    add("sign_type", ID, r"MD5|RSA2?|DSA", "one of MD5, RSA, RSA2, DSA, in upper case")
    add("notify_url return_url refer_url show_url merchant_url error_notify_url internal_store_photo "
        "external_storefront_photo", URL, r"(?:https?://)[^\s\"<>\\^`{|}\x00-\x20\x7f-\U0010ffff]{1,248}",
        "an absolute http(s) URL in ASCII, at most 256 characters (notify_url and return_url: 200)")
    add("notify_url return_url", URL, r"(?=.{1,200}\Z)https?://[^\s\"<>\\^`{|}\x00-\x20\x7f-\U0010ffff]+",
        "an absolute http(s) URL in ASCII, at most 200 characters")
    # In-app orders name no page to return to; the demos send this bare host.
    add("return_url", URL, rows["return_url"]._pattern + r"|m\.alipay\.com", rows["return_url"].rule)
    add("timestamp terminal_timestamp", ID, _TIME + r"|[0-9]{13}", "yyyy-MM-dd HH:mm:ss in GMT+8 (or epoch ms)")
    # orders
    text("subject", 256)
    text("body", 1000)
    ident("out_trade_no out_return_no out_order_no trade_no out_request_no partner_trans_id partner_refund_id "
          "alipay_trans_id sub_out_biz_no", 64)
    ident("batch_no", 64)
    add("total_fee rmb_fee price return_amount return_rmb_amount refund_amount trans_amount amount", AMOUNT,
        r"100000000(\.0{1,2})?|(0|[1-9][0-9]{0,7})(\.[0-9]{1,2})?",
        "plain digits with at most two decimals, such as 12.30, up to 100000000.00")
    add("currency trans_currency", ID, r"[A-Z]{3}", "three upper-case letters, such as USD")
    add("quantity", ID, r"[1-9][0-9]{0,8}", "a whole number from 1")
    add("order_valid_time", ID, r"[1-9][0-9]{0,6}", "a whole number of seconds")
    add("order_gmt_create", ID, _TIME, "yyyy-MM-dd HH:mm:ss in GMT+8")
    add("order_create", ID, r"[1-9][0-9]{9}", "seconds since 1970, 10 digits")
    add("gmt_return", ID, _DAY + r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]|" + _TIME,
        "yyyyMMddHHmmss (or yyyy-MM-dd HH:mm:ss) in GMT+8")
    add("start_date end_date", ID, _DAY, "yyyyMMdd")
    add("timeout_rule", ID, _PERIOD, "a number and m, h or d, such as 30m or 12h")
    add("it_b_pay", ID, _PERIOD + "|1c|" + _TIME, "1m to 15d without decimals (90m, not 1.5h), or 1c")
    add("is_sync app_pay need_ctu_check default_login need_buyer_realnamed rn_check", ID, r"[YN]", "Y or N")
    add("payment_type", ID, r"[0-9]{1,4}", "digits; 1 is a purchase")
    add("qr_pay_mode", ID, r"[0-4]", "0 to 4")
    add("qrcode_width", ID, r"[1-9][0-9]{0,3}", "a whole number of pixels")
    add("exter_invoke_ip ip", ID, r"[0-9A-Fa-f.:]{2,45}", "an IP address")
    add("trade_role", ID, r"[BS]", "B (buyer) or S (seller)")
    add("royalty_type", ID, r"[0-9]{1,4}", "digits")
    add("product_code biz_product", ID, r"[A-Z][A-Z0-9_]{0,31}", "upper-case letters, digits and _")
    add("payment_inst", ID, r"ALIPAYCN|ALIPAYHK", "ALIPAYCN or ALIPAYHK")
    add("payment_method", ID, r"ONLINE_PAYMENT|INSTORE_PAYMENT", "ONLINE_PAYMENT or INSTORE_PAYMENT")
    add("forex_biz", ID, r"[A-Z]{1,8}", "FP")
    text("extra_common_param", 100)
    text("reason refund_reason", 256)
    text("supplier", 128)
    text("auth_token extern_token token anti_phishing_key appenv app_id extend_param paymethod enable_paymethod "
         "defaultbank seller_account_name buyer_account_name product_type sign_id_ext sign_name_ext "
         "item_orders_info goods_type hb_fq_param promo_params royalty_parameters", 2048)
    text("seller_email seller_id buyer_id buyer_email", 128)
    # secondary merchants (acquirers)
    add("secondary_merchant_id", ID, r"[A-Za-z0-9_]{1,64}", "1 to 64 letters, digits or _ (at most 20 advised)")
    text("secondary_merchant_name", 128)
    add("secondary_merchant_industry store_industry", ID, r"[0-9]{4}", "a merchant category code of 4 digits")
    add("register_country store_country", ID, r"[A-Z]{2}", "an ISO 3166 code of two upper-case letters")
    text("register_address store_address store_name", 256)
    add("secondary_merchant_type", ID, r"INDIVIDUAL|ENTERPRISE", "INDIVIDUAL or ENTERPRISE")
    text("registration_no shareholder_name shareholder_id representative_name representative_id settlement_no "
         "contact_no contact_email cs_no cs_email", 256)
    text("store_id", 64)
    # JSON as text; the inner quotation marks are the field's own
    add("split_fund_info trade_information site_infos extend_params extend_info biz_data goods_detail "
        "agreement_info channel_fee", JSON, "[^\x00]{2,8000}", "JSON text")
    # request fields of services that have no builder here, and what only Alipay sends; never a quotation mark
    add("batch_fee logistics_fee", AMOUNT, rows["total_fee"]._pattern, rows["total_fee"].rule)
    add("refund_date", ID, _TIME, "yyyy-MM-dd HH:mm:ss in GMT+8")
    add("pay_date", ID, _DAY, "yyyyMMdd")
    add("batch_num", ID, r"[1-9][0-9]{0,3}", "a whole number from 1 to 1000 or so")
    text("detail_data", 400000)
    text("logistics_type logistics_payment receive_name receive_address receive_zip receive_phone receive_mobile "
         "seller_user_id", 256)
    # the notification's name, asked about
    add("notify_id", ID, r"[A-Za-z0-9+/=_%.-]{1,256}", "the notify_id exactly as it was received")
    return rows


#: Field name → :class:`Field`.
FIELDS: Dict[str, Field] = _table()

#: Amounts that are in ``currency`` (and so have its decimals); the others are in CNY.
IN_CURRENCY = ("total_fee", "return_amount", "trans_amount", "refund_amount", "price")

_RECEIVED = """
sign notify_type notify_time trade_status gmt_create gmt_payment gmt_close gmt_refund refund_status refund_fee
discount is_total_fee_adjust use_coupon out_channel_inst out_channel_type out_channel_amount business_scene
bank_seq_no notify_action_type error_code success_num result_details unfreezed_details unfreezed_deta
success_details fail_details pay_user_id pay_user_name pay_account_no is_success exterface error result_code
buyer_actions seller_actions logistics_type logistics_fee logistics_payment gmt_send_goods gmt_logistics_modify
receive_name receive_address receive_zip receive_phone receive_mobile alipay_trans_status alipay_buyer_login_id
alipay_buyer_user_id additional_trade_status to_buyer_fee to_seller_fee success detail_data batch_num batch_fee
refund_date pay_date seller_user_id notify_data sec_id req_data request_token
flag_trade_locked gmt_last_modified_time operator_role time_out time_out_type coupon_discount coupon_used_fee
refund_id refund_flow_type refund_cash_fee refund_coupon_fee refund_agent_pay_fee logistics_status fund_bill_list
fund_change gmt_refund_pay detail_error_code detail_error_des encrypt_key
"""

#: Every name of the protocol, sent or received.
NAMES = frozenset(FIELDS) | frozenset(_RECEIVED.split())
