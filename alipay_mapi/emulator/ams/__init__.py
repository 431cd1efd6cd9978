"""The emulator as AMS: the same merchants, buyers, clock and faults, over tables of its own in the same ledger.

An order belongs to the gateway that made it: MAPI's queries do not find a payment of AMS, nor the reverse. What arrives
is read here and not by ``migration.ams``, so that a mistake of ours on the shop's side is found out and not agreed to.
Source: docs.antom.com (ac/ams): digital_signature, api_fund, idempotency, and the pages of the single calls.
"""
