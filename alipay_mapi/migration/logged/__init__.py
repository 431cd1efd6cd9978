"""What a shop's logs hold of MAPI, and what it would be on another gateway: found, explained field by field, counted.

Pure: bytes of a line go in, values come out. Nothing is verified or sent, and what is shown of a value is masked.
"""
from .explaining import CANNOT, MOVES, NOTED, Explained, Field, Wanted, explain
from .finding import CALL, NOTIFICATION, RETURN, Message, messages_in
from .tally import Group, Tally

__all__ = ["messages_in", "Message", "CALL", "NOTIFICATION", "RETURN", "explain", "Wanted", "Explained", "Field",
           "MOVES", "NOTED", "CANNOT", "Tally", "Group"]
