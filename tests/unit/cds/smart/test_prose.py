"""A card's text as blocks: what is shown is what was put in, and never markup."""

from hypothesis import given
from hypothesis import strategies as st

from cards import detail
from cards.escape import markdown, plain
from cds.smart.prose import Block, blocks, unescaped


LINES = st.text().map(plain).filter(bool)


def test_a_title_with_its_list_and_the_paragraphs_around_them_are_told_apart() -> None:
    text = "Advice: hold.\nReason: fever.\n\nMissing\n- SpO2: none charted\n- ICE score: too old"
    assert blocks(text) == (
        Block("paragraph", ("Advice: hold.",)),
        Block("paragraph", ("Reason: fever.",)),
        Block("heading", ("Missing",)),
        Block("list", ("SpO2: none charted", "ICE score: too old")),
    )


def test_a_heading_that_repeats_the_title_above_it_is_shown_once() -> None:
    assert blocks("Missing\n- SpO2", under="Missing") == (Block("list", ("SpO2",)),)
    assert blocks("Missing\n- SpO2", under="Notes")[0].kind == "heading"


def test_no_text_makes_no_block() -> None:
    assert blocks("") == ()


@given(LINES)
def test_text_of_the_record_is_shown_as_it_was_charted(text: str) -> None:
    assert unescaped(markdown(text)) == text


@given(LINES, st.lists(LINES, min_size=1))
def test_a_section_gives_back_its_title_and_its_items(title: str, items: list[str]) -> None:
    shown = blocks(detail.section(f"T {markdown(title)}", map(markdown, items)))
    assert shown == (Block("heading", (f"T {title}",)), Block("list", tuple(items)))


@given(st.lists(LINES, min_size=1))
def test_paragraphs_stay_apart_and_in_order(texts: list[str]) -> None:
    shown = blocks(detail.join(f"Order: {markdown(text)}" for text in texts))
    assert shown == tuple(Block("paragraph", (f"Order: {text}",)) for text in texts)


@given(st.text())
def test_any_text_makes_blocks_of_text_alone(text: str) -> None:
    for block in blocks(text):
        assert block.lines
        assert all(isinstance(line, str) for line in block.lines)
