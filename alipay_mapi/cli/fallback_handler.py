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
import traceback
from typing import Any, Callable, Dict, Optional, Tuple

from ..client import place_of
from ..errors import AlipayError, ConfigurationError, show
from ..fallback import Pending
from ..fallback.outbox import LEASE, Within
from .fallback_settings import Told, seconds, words
from .output import SCHEMA

Handler = Callable[[Pending], Any]

#: Seconds that a command may take: by default, and at most, since an effect is this run's for a limited time.
_USUAL, _MOST = 60.0, LEASE / 2
#: Words that mean something to a shell alone, as long as they are not quoted.
_OF_A_SHELL = ("|", "||", "&", "&&", ";", "<", "<<", ">", ">>", "2>", "2>>", "2>&1", "&>")


def handler(told: Told) -> Optional[Handler]:
    """What ``--handler`` or ``--exec`` names; None when neither does. A flag wins over the ini. Raises
    ConfigurationError."""
    function, command, folder = told.flag("handler"), told.flag("exec"), None
    if not function and not command:
        function, command = told.get("handler", words, ""), told.get("exec", words, "")
        folder = None if told.config is None else os.path.dirname(os.path.abspath(told.config))
    if function and command:
        raise ConfigurationError("handler, exec: a function or a command, not both")
    if function:
        return _function(function, told.flag("debug"))
    return _command(command, told.get("exec_timeout", seconds, _USUAL), folder) if command else None


def carrying_out(told: Told) -> Tuple[Optional[Handler], Optional[Within]]:
    """(handler, within): at most one of them. What the host has counts where nothing else is named. Raises
    ConfigurationError."""
    found = handler(told)
    if found is not None or told.host is None or told.url is not None:
        return found, None
    return told.host.handler, told.host.within


def as_data(effect: Pending) -> Dict[str, Any]:
    """What a command reads: the effect, amounts as text, null for what the order has not."""
    order = effect.order
    return {"schema": SCHEMA, "key": effect.key, "kind": effect.kind, "shop": effect.shop,
            "out_trade_no": effect.out_trade_no, "detail": effect.detail, "attempt": effect.attempts,
            "currency": order.currency,
            "total_fee": None if order.total_fee is None else str(order.total_fee),
            "rmb_fee": None if order.rmb_fee is None else str(order.rmb_fee)}


# --- a function -------------------------------------------------------------------------------------------------------

def _function(text, debug) -> Handler:
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
    except (Exception, SystemExit) as err:      # whatever the shop's module does while it is imported
        problem = _told(err)
    if not problem and not callable(found):
        problem = "it is no function"
    if problem:
        raise ConfigurationError("handler: {} cannot be used: {} (modules are looked for in the working directory "
                                 "first)".format(show(text), problem))

    def call(effect):
        with contextlib.redirect_stdout(sys.stderr):    # stdout is the run's own
            try:
                return found(effect)
            except (Exception, SystemExit) as err:
                if debug:       # without values, which may be a buyer's
                    sys.stderr.write("{}, raised here:\n{}".format(type(err).__name__, "".join(
                        traceback.format_tb(err.__traceback__))))
                raise
    return call


def _told(error):
    if isinstance(error, ModuleNotFoundError):
        return "there is no module {}".format(show(error.name))
    return "{} at {}{}".format(type(error).__name__, place_of(error),
                               ", while it is imported" if isinstance(error, SystemExit) else "")


# --- a command --------------------------------------------------------------------------------------------------------

def _command(text, limit, folder) -> Handler:
    """``folder``: of the ini file, if the command stands in one; else None."""
    argv, problem = [], "there is no command in it"     # type: list, str
    try:
        argv = shlex.split(text)
    except ValueError:
        problem = "a quotation mark is not closed"
    if not argv:
        raise ConfigurationError("exec: {}; write it as for a shell, without pipes and variables".format(problem))
    stray = [word for word in _words(text) if word in _OF_A_SHELL]
    if stray:
        raise ConfigurationError("exec: {} is for a shell, and no shell runs this: put it into a script".format(
            stray[0]))
    argv[0] = _found(argv[0], folder)
    if not 0 < limit <= _MOST:
        raise ConfigurationError("exec_timeout: more than 0 and at most {:.0f} seconds".format(_MOST))
    return lambda effect: _execute(argv, as_data(effect), limit)


def _words(text):
    """As ``shlex.split``, with their quotation marks; none where that cannot be told."""
    lexer = shlex.shlex(text, posix=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return []


def _found(name, folder) -> str:
    """The command's path. Raises ConfigurationError that says where it was looked for."""
    if not os.path.dirname(name):
        path = shutil.which(name)
        if path is None:
            raise ConfigurationError("exec: there is no command {} in {}; cron's PATH is short, give the whole "
                                     "path".format(show(name), show(os.environ.get("PATH", os.defpath), 300)))
        return path
    path = os.path.abspath(os.path.join(folder or "", os.path.expanduser(name)))
    if shutil.which(path) is not None:
        return path
    if not os.path.exists(path):
        raise ConfigurationError("exec: there is no command {}; a path in the ini file is relative to that file".format(
            show(path, 200)))
    raise ConfigurationError("exec: {} is {}".format(
        show(path, 200), "a folder" if os.path.isdir(path) else "not executable: chmod +x it"))


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
