"""Lines and columns: nothing is cut, nothing is lost, and lines fit when words do."""
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay_mapi.cli import layout

WORDS = st.lists(st.text("abc签名.", min_size=1, max_size=30), min_size=1, max_size=20)


@settings(max_examples=settings.default.max_examples // 3)
@given(WORDS, st.integers(20, 60), st.integers(0, 12))
def test_no_word_is_cut_and_no_word_is_lost(words, width, indent):
    lead = "x" * indent
    filled = layout.fill(" ".join(words), width, lead, " " * indent)
    assert filled.startswith(lead)
    assert filled[len(lead):].split() == words
    for line in filled.split("\n"):
        assert layout.columns(line) <= width or len(line.split()) == 1 and layout.columns(line.strip()) > width


@settings(max_examples=settings.default.max_examples // 3)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5), st.integers(20, 100))
def test_a_table_holds_every_word_of_every_cell(rows, width):
    cells = [[" ".join(cell) for cell in row] for row in rows]
    head, lines = layout.table(("one", "two", "three"), cells, "", width)
    told = " ".join(name + rest for name, rest in lines).split()
    for row in rows:
        for cell in row:
            assert set(cell) <= set(told)


def test_what_fits_is_left_as_it_is():
    assert layout.fill("two  blanks stay", 40, "a ", "  ") == "a two  blanks stay"
    assert layout.table(None, [("a", "b  c"), ("long", "")], " ", 80)[1] == [
        (" a      ", "b  c"), (" long", "")]


def test_without_a_width_a_row_is_a_line():
    head, lines = layout.table(("a", "b"), [("x", "word " * 100)], "", None)
    assert head == "a   b" and len(lines) == 1
