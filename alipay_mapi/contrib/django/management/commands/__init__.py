"""``manage.py alipay_mapi``."""
