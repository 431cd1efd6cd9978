"""An Alipay gateway on your own machine: MAPI's services over a ledger, a cashier, notifications, faults by name.

>>> gateway = Emulator(seed=1, frozen=True)
>>> trade = gateway.place("A1", total_fee="12.30", currency="USD")
>>> gateway.pay("A1")["trade_status"]
'TRADE_FINISHED'

Every key, merchant and buyer of it is made up. It speaks the protocol as its pages and captured messages have it;
that it and this library's client understand each other proves nothing, since they share code.
"""
from .emulator import Emulator
from .merchants import BUYERS
from .refused import Refused

__all__ = ["Emulator", "Refused", "BUYERS"]
