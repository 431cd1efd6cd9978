"""A day of a small shop beside an emulated gateway: buyers, lost and forged notifications, the query fallback, refunds,
and at the end the shop's books against the gateway's ledger.

``shop`` is the shop with its ``books``, and uses only what ``import alipay_mapi`` and ``alipay_mapi.fallback`` offer;
``plan`` says what every buyer does, ``attacks`` what an attacker posts, ``wire`` is the line between shop and gateway,
``cron`` runs the fallback and breaks what can break, ``play`` the day itself, ``audit`` the comparison, ``numbers`` and
``settling`` the counts, ``report`` the page. Same seed, same numbers.

``migrating`` is another story: a shop that moves to AMS, and is killed.
"""
