"""The smallest honest shop on Flask: an order is paid when Alipay has proved it, and never before.

It has an order table of its own, and beside it the fallback's store, which knows what Alipay has said so far. How to
start it is in README.md.
"""
import configparser
import os
import sqlite3
import uuid
from contextlib import closing, contextmanager

from flask import Flask, abort, redirect, render_template, url_for

from alipay_mapi import Order
from alipay_mapi.contrib.flask import AlipayMapi

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("SHOP_FOLDER", HERE)    # for what the shop writes
PRODUCT, PRICE, CURRENCY = "Green tea, 500 g", "12.30", "USD"
#: What an effect means to this shop. All else is for a person.
STATES = {"paid": "paid", "closed": "cancelled", "refunded": "refunded"}


def test_merchant():
    """The emulator's merchant: its keys are test keys, worth nothing elsewhere. A real shop has
    {"partner": …, "sign_type": "RSA2", "private_key_file": …, "alipay_public_key_file": …} here."""
    path = os.environ.get("SHOP_INI", os.path.join(FOLDER, "shop.ini"))
    ini = configparser.ConfigParser(interpolation=None)
    if not ini.read(path):
        raise SystemExit("there is no {}: start alipay-mapi emulator in this folder first".format(path))
    return dict(ini["md5"])


# --- the shop's own orders --------------------------------------------------------------------------------------------

@contextmanager
def database():
    """A connection, in a transaction."""
    with closing(sqlite3.connect(os.path.join(FOLDER, "shop.db"), timeout=30)) as db, db:
        db.row_factory = sqlite3.Row
        db.execute("CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, price TEXT, currency TEXT, state TEXT)")
        db.execute("CREATE TABLE IF NOT EXISTS settled (key TEXT PRIMARY KEY)")
        yield db


def order_of(number):
    with database() as db:
        found = db.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
    return found or abort(404)


def settle(effect):
    """HANDLER: Alipay has proved something. It may be called again with the same key, and then does nothing."""
    with database() as db:
        if db.execute("INSERT OR IGNORE INTO settled VALUES (?)", (effect.key,)).rowcount:
            db.execute("UPDATE orders SET state = ? WHERE number = ?",
                       (STATES.get(effect.kind, "for a person"), effect.out_trade_no))


# --- the pages --------------------------------------------------------------------------------------------------------

app = Flask(__name__)
app.config.update(
    ALIPAY_MAPI_MERCHANTS={"shop": test_merchant()},
    ALIPAY_MAPI_SITE_URL=os.environ.get("SHOP_URL", "http://127.0.0.1:5000"),
    ALIPAY_MAPI_RETURN_TO="order",
    ALIPAY_MAPI_STORE="sqlite:///" + os.path.join(FOLDER, "fallback.db"),
    ALIPAY_MAPI_HANDLER=settle)
alipay = AlipayMapi(app, url_prefix="/alipay")


@app.route("/")
def product():
    return render_template("product.html", product=PRODUCT, price=PRICE, currency=CURRENCY)


@app.route("/orders", methods=["POST"])
def buy():
    number = uuid.uuid4().hex[:20]
    with database() as db:
        db.execute("INSERT INTO orders VALUES (?, ?, ?, 'new')", (number, PRICE, CURRENCY))
    return redirect(url_for("order", out_trade_no=number), 303)


@app.route("/orders/<out_trade_no>/")
def order(out_trade_no):
    """Also where the buyer comes back to. That he is back proves nothing."""
    return render_template("order.html", order=order_of(out_trade_no), product=PRODUCT)


@app.route("/orders/<out_trade_no>/pay", methods=["POST"])
def pay(out_trade_no):
    """From here on the order is watched: whatever becomes of the notification, Alipay is asked."""
    found = order_of(out_trade_no)
    if found["state"] not in ("new", "checking"):
        return redirect(url_for("order", out_trade_no=out_trade_no), 303)
    payment = alipay.payment(Order(out_trade_no, total_fee=found["price"], currency=found["currency"]),
                             subject=PRODUCT, timeout="30m")
    with database() as db:
        db.execute("UPDATE orders SET state = 'checking' WHERE number = ? AND state = 'new'", (out_trade_no,))
    return redirect(payment.url, 303)
