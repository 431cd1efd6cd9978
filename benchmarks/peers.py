"""Other people's libraries for the comparison, each in a folder of its own.

Three of them install a top-level package ``alipay`` and overwrite one another, so each is installed with
``pip install --target`` and imported alone; the module objects are kept and the name is freed again.
"""
import importlib
import os
import subprocess
import sys

#: folder → what pip installs there
PEERS = {
    "alipay": ["alipay==0.7.4", "requests", "six", "pytz"],
    "python-alipay-sdk": ["python-alipay-sdk==3.4.0"],
    "alipay-sdk-python": ["alipay-sdk-python"],
}


def fetch(folder, names):
    """Install the peers that are not there yet. alipay-sdk-python has some 70,000 files: be patient."""
    for name in names:
        target = os.path.join(folder, name)
        if not os.path.isdir(target):
            print("fetching", name, file=sys.stderr)
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", target] + PEERS[name],
                           check=True)


def load(folder, name, modules):
    """Import ``modules`` of one peer and hand them out; None when it is not installed."""
    target = os.path.join(folder, name)
    if not os.path.isdir(target):
        return None
    before = set(sys.modules)
    sys.path.insert(0, target)
    try:
        return [importlib.import_module(module) for module in modules]
    finally:
        # At the end of the path from now on: what a peer imports later is found, and nothing of ours is shadowed.
        sys.path.remove(target)
        sys.path.append(target)
        for module in set(sys.modules) - before:
            if module == "alipay" or module.startswith("alipay."):
                del sys.modules[module]
