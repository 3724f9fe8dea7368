"""A card as an EHR would show it: Epic's and Oracle Health's way, and everything that was sent.

What the two leave out follows public pages: Epic, https://fhir.epic.com/Documentation?docId=cds-hooks
(latest feature named: February 2024); Oracle Health, content/millennium/cds_hooks.md of the branch
cds-hooks of cerner/fhir.cerner.com (2021, beta). Neither was seen at work; a site's build decides.
"""

from collections.abc import Mapping
from typing import Literal, assert_never

from msgspec import Struct

from cds.demo.answer import Card, Coding, Link, Suggestion
from cds.smart.prose import Block, blocks, unescaped


Way = Literal["full", "epic", "oracle"]
TITLES: Mapping[Way, str] = {
    "full": "In full: everything that was sent",
    "epic": "As Epic would show it",
    "oracle": "As Oracle Health would show it",
}
_KNOWN = frozenset({"info", "warning", "critical"})


class Button(Struct, frozen=True):
    """One suggestion that can be pressed; `number` of the suggestion in its card."""

    number: int
    text: str
    told: tuple[str, ...] = ()


class AppLink(Struct, frozen=True):
    """A link of the card. `app`: a SMART launch; else the text alone is shown."""

    text: str
    app: str = ""
    context: str = ""


class Shown(Struct, frozen=True, kw_only=True):
    """One card on the screen. `indicator`: the word for it; `tone`: how it is painted.

    `prose`: the detail in blocks; `plain`: the same as plain text; one of the two is empty.
    `left_out`: what of the card this EHR does not show.
    """

    number: int
    summary: str
    indicator: str
    tone: str
    source: str
    url: str = ""
    prose: tuple[Block, ...] = ()
    plain: str = ""
    buttons: tuple[Button, ...] = ()
    links: tuple[AppLink, ...] = ()
    reasons: tuple[Coding, ...] = ()
    popup: bool = False
    left_out: tuple[str, ...] = ()


def shown(cards: tuple[Card, ...], way: Way) -> tuple[Shown, ...]:
    """All cards of an answer, in the order they came."""
    return tuple(_shown(number, card, way) for number, card in enumerate(cards))


def _shown(number: int, card: Card, way: Way) -> Shown:
    match way:
        case "full":
            return _full(number, card)
        case "epic":
            return _epic(number, card)
        case "oracle":
            return _oracle(number, card)
        case _:
            assert_never(way)


def _tone(card: Card) -> str:
    return card.indicator if card.indicator in _KNOWN else "warning"


def _full(number: int, card: Card) -> Shown:
    url = card.source.url
    return Shown(
        number=number,
        summary=card.summary,
        indicator=card.indicator,
        tone=_tone(card),
        source=card.source.label,
        url=url if url.startswith("https://") else "",
        prose=blocks(card.detail) if card.detail else (),
        buttons=tuple(
            Button(place, one.label, tuple(f"{a.type}: {a.description}" for a in one.actions))
            for place, one in enumerate(card.suggestions)
        ),
        links=tuple(_link(one, one.label) for one in card.links),
        reasons=card.override_reasons,
    )


def _epic(number: int, card: Card) -> Shown:
    """Epic shows the description of the action and no label; a suggestion has one action."""
    single = [(place, one) for place, one in enumerate(card.suggestions) if len(one.actions) == 1]
    left_out = []
    if card.suggestions:
        left_out.append("the label of a suggestion; the description of its action is shown")
    if len(single) < len(card.suggestions):
        left_out.append("suggestions with more than one action")
    if any(_creates(one) for one in card.suggestions):
        left_out.append("the details of an order to create: those of the Epic record apply")
    if card.links:
        left_out.append("the label of a link; an app that is not registered has no link at all")
    if card.override_reasons:
        left_out.append("override reasons that the site has not mapped to its own")
    return Shown(
        number=number,
        summary=card.summary,
        indicator=f"{card.indicator} (the site chooses how it looks)",
        tone=_tone(card),
        source=card.source.label,
        plain=unescaped(card.detail),
        buttons=tuple(Button(place, one.actions[0].description) for place, one in single),
        links=tuple(_link(one, "Open the registered app") for one in card.links if _smart(one)),
        reasons=card.override_reasons,
        left_out=tuple(left_out),
    )


def _oracle(number: int, card: Card) -> Shown:
    """Its page names links, the sidebar and the pop-up, and nothing else of a card."""
    left_out = []
    if card.suggestions:
        left_out.append("suggestions: its public page does not name them")
    if card.override_reasons:
        left_out.append("override reasons and feedback: its public page does not name them")
    if any(one.app_context for one in card.links):
        left_out.append("appContext of a link; a link that is not on its list is removed")
    return Shown(
        number=number,
        summary=card.summary,
        indicator=card.indicator,
        tone=_tone(card),
        source=card.source.label,
        plain=unescaped(card.detail),
        links=tuple(AppLink(one.label, one.url if _smart(one) else "") for one in card.links),
        popup=card.indicator == "critical",
        left_out=tuple(left_out),
    )


def _creates(suggestion: Suggestion) -> bool:
    return any(one.type == "create" for one in suggestion.actions)


def _smart(link: Link) -> bool:
    return link.type == "smart"


def _link(link: Link, text: str) -> AppLink:
    if not _smart(link):
        return AppLink(f"{text} ({link.type})")
    return AppLink(text, link.url, link.app_context)
