"""docs/compat.md: its table has every public name of ``compat.lxneng``, and no call that never was."""
import re

import pytest
from old_package import CALLS, NAMES, OF_WAP

from alipay_mapi.compat import lxneng


@pytest.fixture(scope="module")
def rows(checkout):
    """(old calls, the other cells) of each row of the table about the published package."""
    page = (checkout / "docs" / "compat.md").read_text(encoding="utf-8")
    section = page.split("## PyPI `alipay` 0.7.4")[1].split("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()
             if line.startswith("| ") and not line.startswith(("| old call", "| ---"))]
    assert len(found) > 15
    return [(re.findall(r"`([A-Za-z_]+)`", row[0]), row[1:]) for row in found]


def test_each_row_is_about_something_that_the_published_package_has(rows):
    for names, cells in rows:
        assert names and set(names) <= set(NAMES), names
        assert len(cells) == 3 and all(cells), names


def test_every_public_name_has_a_row(rows):
    told = {name for names, _ in rows for name in names}
    assert set(lxneng.__all__) <= told
    ours = {name for name in dir(lxneng.Alipay) if not name.startswith("_")}
    assert ours - set(lxneng.__all__) <= told | {"default_params", "pid", "key"}
    assert {name for name in vars(lxneng.WapAlipay) if not name.startswith("_")} <= told | set(OF_WAP) | set(CALLS)


def test_every_name_of_the_published_package_is_here_or_is_said_not_to_be(rows):
    here = set(dir(lxneng)) | set(dir(lxneng.Alipay)) | set(dir(lxneng.WapAlipay)) | {"default_params", "key", "pid"}
    here |= {"seller_email"}
    told = {name: cells for names, cells in rows for name in names}
    for name in NAMES:
        assert name in here or "not there" in told[name][1], name


def test_a_call_that_a_row_moves_to_exists(rows):
    from alipay_mapi import Client, services
    for names, cells in rows:
        for name in re.findall(r"services\.([a-z_]+)", cells[2]):
            assert name in services.__all__, names
        for name in re.findall(r"Client(?:\(shop\))?\.([a-z_]+)", cells[2]):
            assert hasattr(Client, name), names
