"""A MAPI call → what another gateway is asked, or a list of named refusals. Pure: nothing is sent or looked up.

Names and rules are those of the mapping tables of this project's notes on the targets (sections 3.1 to 3.4 and 3.10).
What has no exact equal is refused with its name, the reason and a remedy; what is merely different is noted.
"""
from .calls import translate
from .context import Context
from .result import Check, Note, Refusal, Step, Translation

__all__ = ["translate", "Context", "Translation", "Step", "Check", "Note", "Refusal"]
