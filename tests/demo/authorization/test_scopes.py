"""Scopes: what a text means, and what of a request is granted (SMART App Launch 2, "Scopes")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.demo.authorization.scopes import LETTERS, Level, Scope, granted, read_scope


ANYBODY: tuple[Level, ...] = ("patient", "user")
VITALS = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.mark.parametrize(
    ("text", "level", "kind", "letters"),
    [
        ("patient/Observation.read", "patient", "Observation", "rs"),
        ("patient/Observation.write", "patient", "Observation", "cud"),
        ("patient/Observation.*", "patient", "Observation", "cruds"),
        ("user/*.read", "user", "*", "rs"),
        ("system/*.cruds", "system", "*", "cruds"),
        ("patient/*.rs", "patient", "*", "rs"),
        ("user/MedicationRequest.cu", "user", "MedicationRequest", "cu"),
    ],
)
def test_both_forms_are_read(text: str, level: str, kind: str, letters: str) -> None:
    assert read_scope(text) == Scope(text, level, kind, letters)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("restriction", "category"),
    [
        (f"category={VITALS}", tuple(VITALS.split("|"))),
        ("category=vital-signs", (None, "vital-signs")),
        ("category=%7Cvital-signs", ("", "vital-signs")),
    ],
)
def test_a_category_restricts_a_scope(restriction: str, category: tuple[str, str]) -> None:
    found = read_scope(f"patient/Observation.rs?{restriction}")
    assert found is not None
    assert found.category == category


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openid",
        "launch/patient",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.sr",  # the letters have an order
        "patient/Observation.rr",
        "patient/Observation.x",
        "patient/Observation.rs.rs",
        "patient/observation.rs",
        "patient/.rs",
        "patient/**.rs",
        "practitioner/Observation.rs",
        "PATIENT/Observation.rs",
        "patient/Observation.rs?",
        "patient/Observation.rs?code=8310-5",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?category=a,b",
        "patient/Observation.rs?category=a&category=b",
        "patient/Observation.rs?category=a&code=b",
        "patient/Observation.read?category=a",  # restrictions came with version 2
        "patient/Observation.rs\n",
        " patient/Observation.rs",
    ],
)
def test_what_is_not_understood_allows_nothing(text: str) -> None:
    assert read_scope(text) is None


@pytest.mark.parametrize(
    ("asked", "allowed", "given"),
    [
        ("patient/*.rs", "patient/*.rs", "patient/*.rs"),
        ("patient/Observation.read", "patient/*.cruds", "patient/Observation.read"),
        ("patient/*.cruds", "patient/*.rs", "patient/*.rs"),
        ("patient/Observation.*", "patient/Observation.c", "patient/Observation.c"),
        ("patient/Observation.rs", "patient/*.r patient/*.s", "patient/Observation.rs"),
        ("patient/*.rs", "patient/Observation.rs", ""),
        ("user/*.rs", "patient/*.rs", ""),
        ("patient/*.rs", "patient/*.rs?category=survey", ""),
        (
            "patient/Observation.crs?category=survey",
            "patient/*.rs",
            "patient/Observation.rs?category=survey",
        ),
        ("patient/X.r?category=a", "patient/X.r?category=b", ""),
        ("system/*.rs", "system/*.rs", ""),
        ("openid launch nonsense openid", "openid launch", "openid launch"),
        ("openid", "patient/*.rs", ""),
    ],
)
def test_no_more_is_granted_than_the_app_is_registered_for(
    asked: str, allowed: str, given: str
) -> None:
    assert " ".join(granted(asked.split(), allowed.split(), ANYBODY)) == given


def test_a_service_alone_gets_system_scopes_only() -> None:
    asked = ["openid", "launch", "patient/*.rs", "user/*.rs", "system/*.rs"]
    assert granted(asked, [*asked, "system/*.cruds"], ("system",)) == ("system/*.rs",)


PARTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["patient", "user", "/", "*", ".", "rs", "cruds", "read", "?", "category=", "|"]
    ),
)
TEXTS = st.lists(PARTS, max_size=9).map("".join)
KINDS = st.sampled_from(["*", "Observation", "Condition"])
RIGHTS = st.sets(st.sampled_from(LETTERS), min_size=1).map(
    lambda chosen: "".join(one for one in LETTERS if one in chosen)
)
RESTRICTIONS = st.sampled_from(["", "?category=survey", "?category=a|b"])
SCOPES = st.builds(
    "{}/{}.{}{}".format, st.sampled_from(["patient", "user"]), KINDS, RIGHTS, RESTRICTIONS
)


@given(TEXTS)
def test_any_text_is_a_scope_or_none(text: str) -> None:
    found = read_scope(text)
    assert found is None or (found.text == text and found.letters and found.letters in _ordered())


@given(st.lists(SCOPES | TEXTS, max_size=5), st.lists(SCOPES | TEXTS, max_size=5))
def test_every_letter_granted_was_asked_for_and_is_registered(
    asked: list[str], allowed: list[str]
) -> None:
    wanted, registered = (_rights(texts) for texts in (asked, allowed))
    for level, kind, letter, category in _rights(granted(asked, allowed, ANYBODY)):
        assert (level, kind, letter, category) in wanted
        assert any(
            (level, of, letter, within) in registered
            for of in {"*", kind}
            for within in {None, category}
        )


@given(st.lists(SCOPES, min_size=1, max_size=5, unique=True))
def test_what_is_registered_is_granted_as_it_is(texts: list[str]) -> None:
    assert set(granted(texts, texts, ANYBODY)) == set(texts)


def _ordered() -> set[str]:
    return {
        "".join(one for number, one in enumerate(LETTERS) if mask >> number & 1)
        for mask in range(1, 2 ** len(LETTERS))
    }


def _rights(texts: object) -> set[tuple[str, str, str, object]]:
    assert isinstance(texts, list | tuple)
    scopes = [scope for text in texts if (scope := read_scope(text)) is not None]
    return {(one.level, one.kind, letter, one.category) for one in scopes for letter in one.letters}
