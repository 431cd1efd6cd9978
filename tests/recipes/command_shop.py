"""The shop of docs/workers.md that has no Python of its own: shop.ini, a command that settles, an SQLite store."""
import os
import sqlite3
import sys

from alipay_mapi.fallback import open_store

NUMBERS = ["K{:03d}".format(number) for number in range(12)]
PAID = [(number, "paid") for number in NUMBERS]


def prepare(shop):
    """Its orders are paid, and nobody has told it."""
    os.makedirs(shop.path("bin"))
    os.symlink(sys.executable, shop.path("venv", "bin", "python"))
    shop.install("alipay-mapi", "alipay_mapi")
    shop.save("bin/settle", 0o755)
    shop.save("shop.ini", **{"partner = 2088101122136241": "partner = {}\ngateway = {}".format(
        shop.merchant.partner, shop.emulator.gateway_url)})
    shop.write("md5.txt", shop.environment.pop("ALIPAY_MD5_KEY"))
    shop.environment.clear()
    store = open_store("sqlite:///" + shop.path("fallback.db"))
    shop.watch(store, NUMBERS)
    store.close()


def settled(shop):
    """(order, state) of all that the shop's own command has written."""
    db = sqlite3.connect(shop.path("shop.db"))
    try:
        return sorted(db.execute("SELECT number, state FROM settled"))
    finally:
        db.close()
