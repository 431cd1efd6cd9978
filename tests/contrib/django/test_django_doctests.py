"""The examples in the docstrings; pytest collects none of modules that need a configured Django."""
import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["middleware", "store.shown_fields", "management.commands.alipay_mapi"])
def test_the_examples_hold(name):
    module = importlib.import_module("alipay_mapi.contrib.django." + name)
    done = doctest.testmod(module)
    assert done.attempted and not done.failed
