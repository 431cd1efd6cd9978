"""What carries out an effect for ``fallback run``: a function of the shop, or a command in any language."""
import contextlib
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, Optional

from ..client import place_of
from ..errors import AlipayError, ConfigurationError, show
from ..fallback import Pending
from ..fallback.outbox import LEASE
from .fallback_settings import Told, seconds, words
from .output import SCHEMA

Handler = Callable[[Pending], Any]

#: Seconds that a command may take: by default, and at most, since an effect is this run's for a limited time.
_USUAL, _MOST = 60.0, LEASE / 2


def handler(told: Told) -> Optional[Handler]:
    """What ``--handler`` or ``--exec`` names; None when neither does. A flag wins over the ini. Raises
    ConfigurationError."""
    function, command = told.flag("handler"), told.flag("exec")
    if not function and not command:
        function, command = told.get("handler", words, ""), told.get("exec", words, "")
    if function and command:
        raise ConfigurationError("handler, exec: a function or a command, not both")
    if function:
        return _function(function)
    return _command(command, told.get("exec_timeout", seconds, _USUAL)) if command else None


def as_data(effect: Pending) -> Dict[str, Any]:
    """What a command reads: the effect, amounts as text, null for what the order has not."""
    order = effect.order
    return {"schema": SCHEMA, "key": effect.key, "kind": effect.kind, "shop": effect.shop,
            "out_trade_no": effect.out_trade_no, "detail": effect.detail, "attempt": effect.attempts,
            "currency": order.currency,
            "total_fee": None if order.total_fee is None else str(order.total_fee),
            "rmb_fee": None if order.rmb_fee is None else str(order.rmb_fee)}


# --- a function -------------------------------------------------------------------------------------------------------

def _function(text) -> Handler:
    match = re.fullmatch(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)", text)
    if match is None:
        raise ConfigurationError("handler: MODULE:FUNCTION, such as shop.payments:settle")
    module, name = match.groups()
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    problem, found = "", None   # type: str, Any
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError as err:
        problem = "the module has no {}".format(show(name)) if found is not None else _told(err)
    except Exception as err:    # whatever the shop's module does while it is imported
        problem = _told(err)
    if not problem and not callable(found):
        problem = "it is no function"
    if problem:
        raise ConfigurationError("handler: {} cannot be used: {} (modules are looked for in the working directory "
                                 "first)".format(show(text), problem))

    def call(effect):
        with contextlib.redirect_stdout(sys.stderr):    # stdout is the run's own
            found(effect)
    return call


def _told(error):
    if isinstance(error, ModuleNotFoundError):
        return "there is no module {}".format(show(error.name))
    return "{} at {}".format(type(error).__name__, place_of(error))


# --- a command --------------------------------------------------------------------------------------------------------

def _command(text, limit) -> Handler:
    argv, problem = [], "there is no command in it"     # type: list, str
    try:
        argv = shlex.split(text)
    except ValueError:
        problem = "a quotation mark is not closed"
    if not argv:
        raise ConfigurationError("exec: {}; write it as for a shell, without pipes and variables".format(problem))
    if shutil.which(argv[0]) is None:
        raise ConfigurationError("exec: there is no command {}, or it may not be run; cron's PATH is short, give the "
                                 "whole path".format(show(argv[0], 200)))
    if not 0 < limit <= _MOST:
        raise ConfigurationError("exec_timeout: more than 0 and at most {:.0f} seconds".format(_MOST))
    return lambda effect: _execute(argv, as_data(effect), limit)


def _execute(argv, data, limit) -> None:
    """Raises AlipayError unless the command ends with 0 in time. It has a session of its own, so that Ctrl-C and a
    signal to cron's job let it finish; what it prints goes to stderr."""
    body = (json.dumps(data) + "\n").encode("ascii")
    problem, process = "", None     # type: str, Any
    try:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=2, start_new_session=True)
    except OSError as err:
        problem = "cannot be run ({})".format(err.strerror or type(err).__name__)
    if process is not None:
        with process:
            try:
                process.communicate(body, timeout=limit)
            except BaseException as err:
                _kill(process)
                if not isinstance(err, subprocess.TimeoutExpired):
                    raise
                problem = "did not end within {:g} seconds".format(limit)
        if not problem and process.returncode:
            problem = "ended with {} {}".format(*("exit code", process.returncode) if process.returncode > 0 else
                                                ("signal", -process.returncode))
    if problem:
        raise AlipayError("the command of --exec {}".format(problem))


def _kill(process):
    """The command and whatever it has started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except OSError:
        pass    # it has just ended
    process.wait()
