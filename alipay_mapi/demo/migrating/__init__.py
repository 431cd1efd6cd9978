"""A running shop moves from MAPI to AMS order by order, is killed half way, and ends with books that equal the ledgers.

Two processes. The shop's: ``shop`` with its ``books``, started by ``process``; all that it has are a folder (settings,
the fallback's store, the books) and a ``link`` to the world. The world's: the emulated gateways and the clock, with
``plan`` (who buys what), ``attacks``, ``wire`` (what gets lost), ``running`` (the shop's process), ``kills`` (when it
is killed, really: SIGKILL), ``scenes`` (what people do) and ``play``. In the end ``audit`` holds the books against both
ledgers, and shares no code with the shop; ``numbers`` counts and ``report`` draws.

Same seed, same numbers, kills included: the shop and the world speak in turns, so a kill has a place in the sequence.
"""
