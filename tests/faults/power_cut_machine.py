"""A machine whose power can be cut: workers on a disk of their own, with ``power_cut.c`` recording what they write."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import power_cut_check
import power_cut_disk

HERE = Path(__file__).resolve().parent
STORE = power_cut_check.STORE


def compiled(folder):
    """The library to preload and "", or None and why it cannot be made."""
    compiler = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc")
    if compiler is None:
        return None, "there is no C compiler"
    library = os.path.join(folder, "power_cut.so")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, str(HERE / "power_cut.c"), "-ldl"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if done.returncode:
        return None, "the C compiler fails: " + done.stdout.decode("utf-8", "replace")[-1000:]
    return library, ""


class Machine:
    """A folder with a store, and the record of what workers do in it."""

    def __init__(self, recorder, folder):
        self.recorder, self.record = recorder, os.path.join(str(folder), "record")
        self.folder = os.path.realpath(os.path.join(str(folder), "disk"))
        os.mkdir(self.folder)

    def work(self, *workers):
        """``workers``: (name, seed, calls, pragma, …) of each; they run at once, until their power fails."""
        environment = dict(os.environ, POWER_CUT_FOLDER=self.folder, POWER_CUT_RECORD=self.record,
                           PYTHONPATH=str(HERE.parent.parent), PYTHONDONTWRITEBYTECODE="1",
                           LD_PRELOAD=" ".join(filter(None, [os.environ.get("LD_PRELOAD"), self.recorder])))
        running = [subprocess.Popen([sys.executable, str(HERE / "power_cut_worker.py"),
                                     os.path.join(self.folder, STORE), self.record] + [str(part) for part in worker],
                                    env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT) for worker in workers]
        said = []
        for process in running:
            try:
                said.append(process.communicate(timeout=120)[0])
            finally:
                process.kill()
        assert said == [b""] * len(workers) and [process.returncode for process in running] == [0] * len(workers)
        return self

    @property
    def raw(self):
        with open(self.record, "rb") as file:
            return file.read()

    def report(self, count, seed, **more):
        return power_cut_check.report(self.raw, count, seed, **more)

    def files(self):
        found = {}
        for name in os.listdir(self.folder):
            if not name.endswith(power_cut_disk.INDEX):
                with open(os.path.join(self.folder, name), "rb") as file:
                    found[name] = file.read()
        return found
