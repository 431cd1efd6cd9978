"""The table that a benchmark ends with: what was measured, beside the bar that it should reach."""
import json


def show(rows, as_json=False):
    """``rows``: (what, measured, bar, True when the bar is the most and not the least). A missed one is MISSED."""
    print("\n{:58s} {:>9s}    {:>7s}".format("bar", "measured", "bar"))
    for text, value, limit, at_most in rows:
        print("{:58s} {:9.2f} {} {:7.2f}  {}".format(text, value, "<=" if at_most else ">=", limit,
                                                     "met" if (value <= limit) == at_most else "MISSED"))
    if as_json:
        print(json.dumps([{"bar": text, "measured": round(value, 3), "limit": limit, "at_most": at_most,
                           "met": (value <= limit) == at_most} for text, value, limit, at_most in rows]))
