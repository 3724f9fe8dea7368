"""What a token may do at the FHIR server, and what of the answer it may see.

RFC 6750 for the token; SMART "Scopes" for the rest. A `patient/` scope reaches one patient: what is
found is narrowed to that patient, and a search that names another one is refused, because an empty
answer would read as "nothing is charted". What may not be read is not there (404).
"""

import re
from collections.abc import Collection, Sequence
from typing import TypeAlias

from msgspec import Struct

from cds.demo.authorization.authority import Authority
from cds.demo.authorization.compartment import about_nobody, belongs
from cds.demo.authorization.grants import Access
from cds.demo.authorization.scopes import Scope, read_scopes
from cds.demo.fhir.call import Ask, Authorize
from cds.demo.fhir.elements import split, tokens, unescaped, values
from cds.demo.fhir.errors import FhirError
from cds.demo.fhir.references import local
from cds.demo.fhir.resource_json import Resource
from cds.demo.fhir.storage import Version
from cds.demo.fhir.subscription_form import TOPIC, TOPIC_TYPE
from cds.demo.fhir.visible import Visible


_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_LETTERS = {
    "read": "r",
    "vread": "r",
    "history": "r",
    "search": "s",
    "create": "c",
    "update": "u",
    "delete": "d",
}
_SUBSCRIPTION = "Subscription"
Rules: TypeAlias = Sequence[Scope]


class _Rights(Struct, frozen=True):
    """One token's."""

    authority: Authority
    access: Access
    scopes: tuple[Scope, ...]

    @property
    def patient(self) -> str:
        return self.access.grant.context.patient

    def rules(self, kind: str, letters: Collection[str]) -> list[Scope]:
        """The scopes under which this may be done; a Subscription hears of every patient."""
        return [
            one
            for one in self.scopes
            if one.is_about(kind, letters)
            and (one.level != "patient" or (bool(self.patient) and kind != _SUBSCRIPTION))
        ]

    def may_see(self, rules: Rules, kind: str, id_: str, resource: Resource) -> bool:
        """Whether one of the rules is about this very resource; who is nobody's may be seen."""
        nobodys = about_nobody(kind, resource, self.authority.base)
        return self._reach(rules, kind, id_, resource, nobodys=nobodys)

    def may_change(self, rules: Rules, kind: str, id_: str, resource: Resource) -> bool:
        """The same for writing; for one patient only what is that patient's."""
        return self._reach(rules, kind, id_, resource, nobodys=False)

    def current(self, kind: str, id_: str) -> Version | None:
        """What is there now; None where nothing is, or no longer."""
        with self.authority.store.reading() as records:
            found = records.current(kind, id_)
        return found if found is not None and found.resource is not None else None

    def _reach(
        self, rules: Rules, kind: str, id_: str, resource: Resource, *, nobodys: bool
    ) -> bool:
        meeting = [rule for rule in rules if _in_category(rule, resource)]
        if nobodys or any(rule.level != "patient" for rule in meeting):
            return bool(meeting)
        base = self.authority.base
        with self.authority.store.reading() as records:
            return bool(meeting) and belongs(
                records, kind, id_, resource, patient=self.patient, base=base
            )


def enforcing(authority: Authority) -> Authorize:
    """To be given to `create_fhir`."""

    def authorize(ask: Ask) -> Visible | None:
        rights = _rights(authority, ask.authorization)
        if ask.interaction == "bundle":
            return None  # each entry is asked for by itself
        if ask.interaction == "operation":
            return _operation(rights, ask)
        letter = _LETTERS[ask.interaction]
        rules = rights.rules(ask.kind, letter)
        if not rules:
            raise _forbidden("the token has no scope for this")
        match ask.interaction:
            case "search":
                _refuse_others(rights, rules, ask)
            case "create":
                _refuse_foreign(rights, rules, ask)
            case "update":
                _refuse_update(rights, rules, ask)
            case "delete":
                _refuse_delete(rights, rules, ask)
            case _:
                pass  # what may not be read is not there, see `_view`
        return _view(rights, ask.kind, letter)

    return authorize


def _rights(authority: Authority, header: str) -> _Rights:
    found = _BEARER.fullmatch(header)
    if found is None:
        raise FhirError(401, "login", "an access token is required")
    access = authority.state.accesses.look(found[1], authority.clock())
    if access is None or authority.state.revoked(access.grant):
        raise FhirError(401, "login", "the access token is not known, or no longer good")
    return _Rights(authority, access, read_scopes(access.scopes))


def _view(rights: _Rights, kind: str, letters: Collection[str]) -> Visible:
    """The asked type by the letter that was asked, what comes with it by any letter of reading."""

    def visible(version: Version) -> bool:
        rules = rights.rules(version.kind, letters if version.kind == kind else "rs")
        return rights.may_see(rules, version.kind, version.id, version.resource or {})

    return visible


def _operation(rights: _Rights, ask: Ask) -> Visible:
    """`$everything`; or `$status` and `$events`, which tell what the criteria are about."""
    if not rights.rules(ask.kind, "r"):
        raise _forbidden("the token has no scope for this")
    found = rights.current(ask.kind, ask.id) if ask.id else None
    if ask.kind == _SUBSCRIPTION and found is not None:
        _refuse_hearing(rights, found.resource or {})
    return _view(rights, ask.kind, "r")


def _refuse_others(rights: _Rights, rules: Rules, ask: Ask) -> None:
    if any(rule.level != "patient" for rule in rules):
        return
    names = {"_id"} if ask.kind == "Patient" else {"patient", "subject"}
    for name, text in ask.pairs:
        bare, _, modifier = name.partition(":")
        if bare not in names or modifier not in {"", "Patient"}:
            continue
        for part in split(text, ","):
            named = unescaped(part)
            asked = local(named, rights.authority.base) or f"Patient/{named}"
            if named and asked != f"Patient/{rights.patient}":
                raise _forbidden("the token is for one patient, and the search names another")


def _refuse_foreign(rights: _Rights, rules: Rules, ask: Ask) -> None:
    resource = ask.resource or {}
    if ask.kind == _SUBSCRIPTION:
        _refuse_hearing(rights, resource)
    if not rights.may_change(rules, ask.kind, ask.id, resource):
        raise _forbidden("the token does not reach a resource like this")


def _refuse_update(rights: _Rights, rules: Rules, ask: Ask) -> None:
    """Neither what is there nor what it becomes may be out of reach."""
    _refuse_foreign(rights, rules, ask)
    found = rights.current(ask.kind, ask.id)
    if found is None:
        _refuse_foreign(rights, rights.rules(ask.kind, "c"), ask)
    elif not rights.may_change(rules, ask.kind, ask.id, found.resource or {}):
        raise _forbidden("the token does not reach a resource like this")


def _refuse_delete(rights: _Rights, rules: Rules, ask: Ask) -> None:
    """Who does not reach everything learns nothing of what is out of reach."""
    found = rights.current(ask.kind, ask.id)
    if found is None:
        if all(rule.level == "patient" or rule.category is not None for rule in rules):
            raise FhirError(404, "not-found", "there is no such resource")
    elif not rights.may_change(rules, ask.kind, ask.id, found.resource or {}):
        raise FhirError(404, "not-found", "there is no such resource")


def _refuse_hearing(rights: _Rights, subscription: Resource) -> None:
    """Whoever is told of changes reads them: that takes the scopes of reading."""
    criteria = subscription.get("criteria")
    text = criteria if isinstance(criteria, str) else ""
    kind = TOPIC_TYPE if text == TOPIC else text.partition("?")[0]
    rules = [one for one in rights.rules(kind, "rs") if one.level != "patient"]
    if not {"r", "s"} <= {letter for one in rules if not one.category for letter in one.letters}:
        raise _forbidden("the token may not read what this tells of")


def _forbidden(text: str) -> FhirError:
    return FhirError(403, "forbidden", text)


def _in_category(rule: Scope, resource: Resource) -> bool:
    if rule.category is None:
        return True
    system, code = rule.category
    return any(
        code == has and system in {None, of}
        for value in values(resource, "category")
        for of, has in tokens(value)
    )
