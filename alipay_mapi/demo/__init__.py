"""A day of a small shop beside an emulated gateway: buyers, lost and forged notifications, refunds, and at the end the
shop's books against the gateway's ledger.

``shop`` is the shop, and uses only what ``import alipay_mapi`` offers; ``plan`` says what every buyer does,
``attacks`` what an attacker posts, ``wire`` is the line between shop and gateway, ``play`` the day itself, ``audit``
the comparison, ``numbers`` the counts, ``report`` the page. Same seed, same numbers.
"""
