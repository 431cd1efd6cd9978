"""Every block of the README and of the pages in docs is run by some test; none is skipped, and no kind is forgotten."""
import re

import pytest

#: Run block by block by test_docs_cli.py, testing/test_docs_testing.py and fallback/test_docs_fallback.py.
BY_ANOTHER_TEST = ("cli.md", "compat.md", "configuration.md", "django.md", "fallback.md", "flask.md",
                   "testing-your-shop.md", "workers.md")
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"[a-z_]{4,}")


def pages(checkout):
    return [checkout / "README.md"] + sorted(path for path in (checkout / "docs").glob("*.md")
                                             if path.name not in BY_ANOTHER_TEST)


@pytest.fixture(scope="module")
def blocks(checkout):
    found = [(path.name, language, text) for path in pages(checkout)
             for language, text in _BLOCK.findall(path.read_text(encoding="utf-8"))]
    assert len(found) >= 8
    return found


def test_a_block_is_a_doctest_or_a_command_of_ci_or_a_picture(blocks):
    """Or a file of the quick starts, word for word, which the tests of their own pages run."""
    assert {language for _, language, _ in blocks if " " not in language} <= {"python", "sh", "text"}


def test_every_python_block_is_a_doctest_and_skips_nothing(blocks):
    """pytest collects the doctests of all *.md files (setup.cfg); here none can hide from it."""
    for page, language, text in blocks:
        if language == "python":
            assert text.lstrip().startswith(">>>"), page
            assert "SKIP" not in text and "ELLIPSIS" not in text, page


def test_every_file_that_the_readme_shows_is_one_of_the_quick_starts(blocks, checkout):
    shown = [(language, text) for _, language, text in blocks if " " in language]
    run = {(page, language, text) for page in ("django", "flask") for language, text in _BLOCK.findall(
        (checkout / "docs" / (page + ".md")).read_text(encoding="utf-8"))}
    assert {page for page, language, text in run if (language, text) in shown} == {"django", "flask"}
    assert [language for language, text in shown if (language, text) not in {block[1:] for block in run}] == []
    for first in ("INSTALLED_APPS", "from flask"):
        lines = sum(text.count("\n") for _, text in shown if (text.startswith("from flask")) == (first == "from flask"))
        assert 0 < lines <= 12, first


def test_every_shell_block_is_a_command_that_ci_runs_word_for_word(blocks, checkout):
    ci = (checkout / ".ci" / "run").read_text(encoding="utf-8")
    for page, language, text in blocks:
        if language == "sh":
            for line in text.strip().splitlines():
                assert line in ci, (page, line)


def test_a_picture_names_only_modules_that_exist(blocks, checkout):
    package = checkout / "alipay_mapi"
    known = {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir() if path.is_dir()}
    pictures = [text for _, language, text in blocks if language == "text"]
    drawn = set(_NAME.findall(" ".join(pictures)))
    assert {"services", "request", "signing", "presign", "notification", "response", "transport"} <= drawn & known


def anchors(text):
    """Of the page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def test_every_link_of_the_readme_and_the_pages_leads_to_a_file_and_a_heading(checkout):
    for page in [checkout / "README.md"] + sorted((checkout / "docs").glob("*.md")):
        for link, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
            target = page.parent / link if link else page
            assert target.is_file() or target.is_dir() and not anchor, (page.name, link)
            assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), (page.name, link, anchor)


def test_the_changelog_begins_with_what_is_unreleased(checkout):
    assert "\n## Unreleased\n" in (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
