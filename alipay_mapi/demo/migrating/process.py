"""The shop's process: ``python -m alipay_mapi.demo.migrating.process FOLDER``, orders on stdin, answers on stdout."""
import os
import sys
from typing import Any, BinaryIO, List

from .link import Link, unpacked
from .shop import Shop


def main(arguments: List[str]) -> None:
    """Until the pipe is closed, or the process is killed."""
    # What anything prints must not get between the lines.
    writing: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    link = Link(sys.stdin.buffer, writing)
    shop: Any = None
    for told in link.orders():
        order = told.pop("order")
        if order == "start":
            shop = Shop(arguments[0], link)
            link.done({})
        else:
            link.done(_carried_out(shop, order, told))
    if shop is not None:
        shop.close()
    writing.close()


def _carried_out(shop, order, told):
    if order not in shop.ORDERS:
        raise KeyError(order)
    if "body" in told:
        told["body"] = unpacked(told["body"])
    result = dict(getattr(shop, order)(**told) or {})
    result["answers"], shop.answers[:] = list(shop.answers), []
    result["compared"], shop.compared[:] = list(shop.compared), []
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
