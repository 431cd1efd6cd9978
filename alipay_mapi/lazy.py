"""A package whose names are loaded when they are first used: what PEP 562 does from Python 3.7 on."""
import importlib
import sys
import types
from typing import Mapping


def load_at_first_use(package: str, home: Mapping[str, str]) -> None:
    """Give ``package`` the names of ``home``: name to the module inside the package that has it.

    A name that is itself such a module stands for the module. ``dir()`` lists them with ``__all__``. Any other name
    raises AttributeError, as of every module.
    """
    class Package(types.ModuleType):
        def __getattr__(self, name):
            if name not in home:
                raise AttributeError("module {!r} has no attribute {!r}".format(package, name))
            module = importlib.import_module("{}.{}".format(package, home[name]))
            value = module if name == home[name] else getattr(module, name)
            setattr(self, name, value)
            return value

        def __dir__(self):
            return sorted(set(self.__all__) | set(self.__dict__))

    sys.modules[package].__class__ = Package
