"""Which fields hold one person's address, number or name, and how they are shown: for the command and for Django's
admin."""
import re

#: Names whose value is one person's address, number or name.
PERSONAL = frozenset("""
buyer_email buyer_id buyer_account_name buyer_logon_id buyer_user_id alipay_buyer_login_id alipay_buyer_user_id
pay_user_id pay_user_name pay_account_no receive_name receive_address receive_zip receive_phone receive_mobile
seller_email seller_account_name contact_no contact_email cs_email shareholder_name shareholder_id
representative_name representative_id
""".split())
#: Names whose value lists accounts and names of several people.
LISTS = frozenset("success_details fail_details result_details detail_data biz_data".split())

_MAIL = re.compile(r"([^@\s]{1,64})@([^@\s]{1,190})")


def mask(text: str) -> str:
    """Enough of it to recognise, not enough to use.

    >>> mask("forename@example.com"), mask("13800138000"), mask("2088102146225135")
    ('for***@example.com', '138****8000', '208****5135')
    >>> mask("Li"), mask("for***@alitest.com")
    ('L***', 'for***@alitest.com')
    """
    mail = _MAIL.fullmatch(text)
    if mail:
        name, host = mail.groups()
        return (name if "*" in name else name[:min(3, (len(name) + 1) // 2)] + "***") + "@" + host
    if "*" in text or not text:
        return text
    if len(text) >= 11 and text.lstrip("+").replace("-", "").isdigit():
        return text[:3] + "****" + text[-4:]
    return text[:1] + "***"
