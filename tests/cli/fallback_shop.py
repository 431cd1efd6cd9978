"""A shop for the tests of ``fallback``: its ini file, its orders, and what carries an effect out."""

INI = """\
[{name}]
partner = {partner}
sign_type = MD5
md5_key = {md5_key}
gateway = {gateway}
"""

#: Asked about at once, and at moments that a test can name.
SECTION = """
[fallback]
store = orders.db
grace = 0
jitter = 0
"""

HEAD = "out_trade_no,total_fee,currency\n"

#: An effect that is carried out is a line of effects.txt.
HANDLER = """\
import os
def settle(effect):
    with open("effects.txt", "a") as file:
        file.write(effect.key + "\\n")
    print("settled", effect.out_trade_no)
def refuse(effect):
    raise ValueError("buyer@example.com is not to be told")
number = 5
"""


def write_ini(folder, settings, name="md5", more=SECTION):
    text = INI.format(name=name, **settings)
    (folder / "shop.ini").write_text(text + more)
    return "shop.ini"


def write_orders(folder, *numbers, **columns):
    """orders.csv, each order for 8.00 USD."""
    extra = "".join("," + name for name in columns), "".join("," + value for value in columns.values())
    text = HEAD.strip() + extra[0] + "\n" + "".join("{},8.00,USD{}\n".format(number, extra[1]) for number in numbers)
    (folder / "orders.csv").write_text(text)
    return "orders.csv"


def effects(folder):
    path = folder / "effects.txt"
    return path.read_text().splitlines() if path.exists() else []
