"""Renewing the rights of an open launch: RFC 6749 6, SMART App Launch 2.2."""

from pathlib import Path
from typing import Any

import pytest

from cds.smart.oauth import RefusedKind, SmartClient
from tests.unit.cds.smart.oauth.authority import (
    GONE,
    USER,
    Authority,
    authority,
    client,
    launched,
    opened,
    refused,
    site_of,
)


@pytest.mark.parametrize("auth", ["public", "client_secret_basic", "private_key_jwt"])
@pytest.mark.parametrize("rotates", [True, False])
def test_the_rights_are_renewed_for_the_same_patient_and_user(
    auth: str, tmp_path: Path, *, rotates: bool
) -> None:
    with authority(auth) as server:
        server.rotates = rotates
        site, by = site_of(server, tmp_path), client()
        first = launched(site, by)
        second = by.refresh(site, opened(first))
        third = by.refresh(site, opened(second))
        assert server.refusals == []
    assert len({one.access_token for one in (first, second, third)}) == 3
    assert len({one.refresh_token for one in (first, second, third)}) == (3 if rotates else 1)
    for one in (second, third):
        assert (one.patient, one.user, one.encounter, one.banner, one.scopes) == (
            first.patient,
            first.user,
            first.encounter,
            first.banner,
            first.scopes,
        )


def test_a_renewal_that_does_not_repeat_the_context_keeps_it(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        first = launched(site, by)
        server.answered = dict.fromkeys(("patient", "encounter", "scope", "id_token"), GONE)
        second = by.refresh(site, opened(first))
    assert (second.patient, second.encounter, second.scopes) == (
        first.patient,
        first.encounter,
        first.scopes,
    )


def test_an_id_token_of_a_renewal_changes_nobody(tmp_path: Path) -> None:
    with authority() as server:
        site, by = site_of(server, tmp_path), client()
        first = launched(site, by)
        server.answered = {"id_token": "a.b.c"}
        assert by.refresh(site, opened(first)).user == USER


def renewed(server: Authority, tmp_path: Path, by: SmartClient, **changes: Any) -> RefusedKind:
    site = site_of(server, tmp_path)
    first = launched(site, by)
    server.answered.update(changes.pop("answered", {}))
    context = opened(first, **changes)
    return refused(lambda: by.refresh(site, context)).kind


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"refresh_token": ""}, "no-refresh"),
        ({"refresh_token": "invented"}, "refresh-refused"),
        ({"answered": {"patient": "p2"}}, "patient-mismatch"),
        ({"patient": "p2"}, "patient-mismatch"),
        ({"answered": {"scope": "patient/Patient.rs"}}, "scope-observations"),
        ({"answered": {"access_token": "a b"}}, "token-unusable"),
    ],
    ids=["none", "invented", "another patient", "of another launch", "narrower", "unusable"],
)
def test_a_renewal_that_goes_wrong_is_refused(
    changes: dict[str, Any], kind: RefusedKind, tmp_path: Path
) -> None:
    with authority() as server:
        assert renewed(server, tmp_path, client(), **changes) == kind


def test_a_refresh_token_that_is_used_twice_is_refused(tmp_path: Path) -> None:
    with authority() as server:
        server.rotates = True
        site, by = site_of(server, tmp_path), client()
        context = opened(launched(site, by))
        by.refresh(site, context)
        assert refused(lambda: by.refresh(site, context)).kind == "refresh-refused"
