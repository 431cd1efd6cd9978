"""The ``openssl`` command: the judge that shares no code with us."""
import os
import shutil
import subprocess

import pytest


def openssl(*arguments, stdin=b""):
    """What the command prints; raises CalledProcessError when it says no."""
    _need()
    return subprocess.run(["openssl"] + [str(argument) for argument in arguments], input=stdin, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def accepts(hash_name, public_key, data, signature, folder):
    """The verdict of ``openssl dgst -verify``."""
    return accepted(hash_name, public_key, data, [signature], folder) == [True]


def accepted(hash_name, public_key, data, signatures, folder):
    """One verdict a signature, by one shell for all of them. ``public_key``: a file; ``folder``: scratch."""
    _need()
    (folder / "data").write_bytes(data)
    for number, signature in enumerate(signatures):
        (folder / "{:05}.sig".format(number)).write_bytes(signature)
    script = ('for sig in *.sig; do openssl dgst "-$1" -verify "$2" -signature "$sig" data >/dev/null 2>&1; '
              'echo $?; rm "$sig"; done')
    lines = subprocess.run(["sh", "-c", script, "sh", hash_name.lower(), str(public_key)], cwd=str(folder), check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.split()
    if len(lines) != len(signatures):
        raise ValueError("{} verdicts for {} signatures".format(len(lines), len(signatures)))
    return [line == b"0" for line in lines]


def _need():
    if shutil.which("openssl") is None:
        if os.environ.get("CI"):
            pytest.fail("the openssl command is missing")
        pytest.skip("the openssl command is not installed")
