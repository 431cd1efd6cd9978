"""The shop's process as the world has it: started, told what to do, killed, and started again."""
import json
import os
import subprocess
import sys
from typing import Any, Callable, Dict, List, Sequence

from ...errors import AlipayError, show

#: Where the package is, for a process that has another folder.
_PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
#: What is run, with the folder behind it.
PROGRAM = (sys.executable, "-m", "alipay_mapi.demo.migrating.process")


class Dead(Exception):
    """The shop's process is gone: whoever waits for its word gets none."""


class ShopProcess:
    """``folder``: all that outlives a kill. ``now``: UTC seconds. ``gateway``: a call of the shop's → the answer for
    ``link.Link``, and "dealt": is it a faulty one? ``is_killed``: called with each point that the shop comes by
    ("called", "answered" and its own), and the URL of a call; True: now. ``program``: what to run."""

    def __init__(self, folder: str, now: Callable[[], float], gateway: Callable[[Dict[str, Any]], Dict[str, Any]],
                 is_killed: Callable[[str, str], bool], program: Sequence[str] = PROGRAM):
        self._folder, self._now, self._gateway, self._is_killed = folder, now, gateway, is_killed
        self._program = program
        self._process: Any = None
        self.starts = 0

    @property
    def is_up(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """It has its folder, and nothing else."""
        path = os.pathsep.join([_PACKAGE] + [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one])
        with open(os.path.join(self._folder, "shop.log"), "ab") as log:
            self._process = subprocess.Popen(
                list(self._program) + [self._folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=dict(os.environ, PYTHONPATH=path))
        self.starts += 1
        self.ask("start")

    def ask(self, order: str, points: Sequence[str] = (), **arguments: Any) -> Dict[str, Any]:
        """What came of it. ``points``: those of the shop's at which it waits. Raises Dead; AlipayError when it has
        ended by itself."""
        if self._process is None:
            raise Dead()
        self._say(dict(arguments, order=order, points=list(points), now=self._now()))
        while True:
            told = self._hear()
            if "done" in told:
                return told["done"]
            if "call" in told:
                self._come_by("called", told["call"]["url"])
                answer = self._gateway(told["call"])
                self._come_by("answered" if not answer.pop("dealt") else "", told["call"]["url"])
                self._say(dict(answer, now=self._now()))
            else:
                self._come_by(told["point"], "")
                self._say({"now": self._now()})

    def kill(self) -> None:
        """SIGKILL: no handler, no ``finally``, nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._over()

    def close(self) -> None:
        """Let it end in order."""
        if self._process is not None:
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._over()

    def _come_by(self, point, url):
        if self._is_killed(point, url):
            self.kill()
            raise Dead()

    def _over(self):
        process, self._process = self._process, None
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except OSError:     # what was to be said to it
                pass

    def _say(self, what):
        try:
            self._process.stdin.write(json.dumps(what).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass                # then it says nothing either

    def _hear(self):
        line = self._process.stdout.readline()
        if line.endswith(b"\n"):
            return json.loads(line.decode("ascii"))
        self._over()
        raise AlipayError("the shop's process has ended by itself: {}".format(show(
            " / ".join(self._last_words()), 600)))

    def _last_words(self) -> List[str]:
        with open(os.path.join(self._folder, "shop.log"), encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()[-12:]
