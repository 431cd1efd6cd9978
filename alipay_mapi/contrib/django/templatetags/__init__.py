"""Template tags: ``{% load alipay_mapi %}``."""
