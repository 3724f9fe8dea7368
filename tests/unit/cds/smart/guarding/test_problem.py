"""Every refusal has words, a status, and something to do; none repeats what came."""

from typing import get_args

import pytest

from cds import errors
from cds.smart.guarding.problem import BY_STATUS, SHOWN, Kind, kind_of
from cds.smart.guarding.problem_pages import shown_refusal
from cds.smart.oauth import TEXTS, RefusedKind
from cds.store import StoreDown


EVERY = {str(kind): shown for kind, shown in SHOWN.items()}
EVERY |= {str(kind): shown_refusal(kind) for kind in get_args(RefusedKind)}


def test_every_kind_has_its_words() -> None:
    assert set(SHOWN) == set(get_args(Kind))
    assert set(TEXTS) == set(get_args(RefusedKind))


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_a_page_says_what_to_do_and_its_title_is_short(kind: str) -> None:
    shown = EVERY[kind]

    assert 400 <= shown.status <= 503
    assert 5 < len(shown.title) <= 80
    assert len(shown.do) > 15
    assert shown.do.endswith(".")
    assert "!" not in shown.title + shown.happened + shown.do + shown.tell


def test_a_kind_means_one_thing() -> None:
    assert not set(get_args(Kind)) & set(get_args(RefusedKind))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.AnotherPatient(), "another-patient"),
        (errors.DataUnavailable(), "data-unavailable"),
        (errors.NotAllowed(), "not-allowed"),
        (errors.TooLarge(), "too-large"),
        (errors.UnknownPath(), "unknown-path"),
        (errors.WrongMethod(), "wrong-method"),
        (errors.BadHookRequest(), "bad-request"),
        (errors.Fault(), "fault"),
        (StoreDown("locked"), "store-down"),
    ],
)
def test_the_services_own_errors_are_shown_as_what_they_are(
    error: errors.ServiceError, kind: Kind
) -> None:
    assert kind_of(error.code, error.status) == kind
    assert SHOWN[kind].status == error.status


def test_a_status_is_shown_as_a_kind_with_that_status_or_a_plainer_one() -> None:
    for status, kind in BY_STATUS.items():
        assert SHOWN[kind].status == status or (status, kind) == (415, "bad-request")
