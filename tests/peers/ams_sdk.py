"""Alipay's own ``global-open-sdk-python``, for ``run_ams_sdk.py``: needs that package, and nothing of ours.

Each line of the standard input is one thing to do (``sign`` or ``verify`` and their arguments), and is answered by a
line of JSON: the signature, true or false, or the class of what was raised.
"""
import json
import sys

from com.alipay.ams.api.tools import signature_tool

# The peer may print while it works.
answers, sys.stdout = sys.stdout, sys.stderr

for text in sys.stdin:
    todo = json.loads(text)
    try:
        said = getattr(signature_tool, todo["do"])(*todo["arguments"])
    except Exception as err:
        said = {"raised": type(err).__name__}
    answers.write(json.dumps(said) + "\n")
    answers.flush()
