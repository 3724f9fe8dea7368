"""Whose resource is this? One patient on one FHIR base, by every spelling of a reference.

Another patient or another base raises `AnotherPatient`. A reference that is missing, leads nowhere
or contradicts itself answers False: the resource is not used, and that is for the caller to report.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from fhir_mapping.bundles import BAD_INPUT
from fhir_mapping.datatypes import Head, Identifier, Reference
from fhir_mapping.errors import AnotherPatient
from fhir_mapping.resources import Observation, Patient


PATIENT_UNKNOWN = "patient-unknown"
_RELATIVE = re.compile(
    r"([A-Z][A-Za-z]*)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_HTTP = ("http://", "https://")
_CONTAINED = msgspec.json.Decoder(Patient)


class Binding:
    """The patient and base everything must belong to; verdicts are kept, as they repeat."""

    def __init__(
        self,
        patient_id: str,
        fhir_base: str | None,
        *,
        patients: Iterable[Patient] = (),
        by_full_url: Mapping[str, str | None] | None = None,
    ) -> None:
        self._patient_id = patient_id
        self._base = _base(fhir_base) if fhir_base else None
        self._prefix = fhir_base.rstrip("/") + "/" if fhir_base else ""
        self._observations = f"{self._prefix}Observation/"
        self._last_slash = len(self._observations) - 1
        self._identifiers: frozenset[Identifier] = frozenset(
            identifier
            for patient in patients
            if patient.id == patient_id
            for identifier in patient.identifier
            if identifier.system and identifier.value
        )
        self._systems = frozenset(identifier.system for identifier in self._identifiers)
        self._by_full_url = by_full_url or {}
        self._verdicts: dict[str, bool | None] = {}
        self._own = frozenset({f"Patient/{patient_id}"})

    def owns(
        self,
        reference: Reference | None,
        where: object,
        full_url: str | None = None,
        contained: tuple[Raw, ...] = (),
    ) -> bool:
        """True: this patient. False: nobody can say. Raises `AnotherPatient`."""
        if reference is None:
            return False
        text = reference.reference
        verdict: bool | None
        if text is None:
            verdict = reference.identifier in self._identifiers
        elif text.startswith("#"):
            verdict = self._contains(text[1:], contained)
        else:
            if text not in self._verdicts:
                self._verdicts[text] = self._resolve(text)
            verdict = self._verdicts[text]
        if verdict is None:
            raise AnotherPatient(str(where))
        if not verdict or self._contradicts(reference):
            return False
        if full_url is not None:
            self.same_base(full_url, where)
        return True

    def _contains(self, local_id: str, contained: tuple[Raw, ...]) -> bool:
        """A contained Patient has no identity but its identifiers."""
        for raw in contained:
            try:
                patient = _CONTAINED.decode(raw)
            except BAD_INPUT:
                continue
            if patient.id == local_id:
                return not self._identifiers.isdisjoint(patient.identifier)
        return False

    def _contradicts(self, reference: Reference) -> bool:
        """The same reference says another type, or a number the patient does not have."""
        if reference.type is not None and reference.type.rpartition("/")[2] != "Patient":
            return True
        named = reference.identifier
        return (
            named is not None and named.system in self._systems and named not in self._identifiers
        )

    def surely_owns(self, observation: Observation, full_url: str | None) -> bool:
        """The quick answer for the many that look alike; False means: ask `owns`."""
        subject = observation.subject
        return (
            subject is not None
            and subject.reference in self._own
            and subject.identifier is None
            and subject.type is None
            and not observation.contained
            and (
                full_url is None
                or self._base is None
                # Directly below, as in `_is_below`; a call for each of thousands costs more.
                or (
                    full_url.startswith(self._observations)
                    and full_url.rfind("/") == self._last_slash
                )
            )
        )

    def is_other(self, reference: Reference, where: object) -> bool:
        """True if the reference is to anything but this patient; never raises."""
        try:
            return not self.owns(reference, where)
        except AnotherPatient:
            return True

    def same_base(self, full_url: str, where: object) -> None:
        """Raises `AnotherPatient` if an absolute URL of a resource is on another FHIR base."""
        if self.is_foreign(full_url):
            raise AnotherPatient(str(where))

    def is_foreign(self, full_url: str) -> bool:
        """Whether an absolute URL of a resource is on another FHIR base."""
        if self._base is None or not full_url[:8].lower().startswith(_HTTP):
            return False
        if self._is_below(full_url):
            return False
        head = full_url.partition("/_history/")[0].rsplit("/", 2)[0]
        return _base(head) != self._base

    def _is_below(self, full_url: str) -> bool:
        """Directly below the base: a longer path may be the base of another tenant."""
        prefix = self._prefix
        return full_url.startswith(prefix) and full_url.count("/", len(prefix)) <= 1

    def is_patient(self, patient: Patient | Head, where: object, full_url: str | None) -> None:
        """Raises `AnotherPatient` if a Patient resource, or its URL, has another patient's id."""
        ids = {patient.id} - {None}
        if full_url is not None and full_url[:8].lower().startswith(_HTTP):
            self.same_base(full_url, where)
            _, found, last = full_url.partition("/_history/")[0].rpartition("/Patient/")
            ids |= {last} if found else set()
        if not ids <= {self._patient_id}:
            raise AnotherPatient(str(where))

    def _resolve(self, text: str) -> bool | None:
        """True: this patient; None: another patient or base; False: it leads nowhere."""
        if text in self._by_full_url:
            found = self._by_full_url[text]
            return False if found is None else (True if found == self._patient_id else None)
        if text[:8].lower().startswith(_HTTP):
            head, _, tail = text.rpartition("/Patient/")
            match = _RELATIVE.fullmatch("Patient/" + tail) if head else None
            if match is None:
                return False
            if self._base is not None and _base(head) != self._base:
                return None
            return True if match[2] == self._patient_id else None
        match = _RELATIVE.fullmatch(text)
        if match is None or match[1] != "Patient":
            return False
        return True if match[2] == self._patient_id else None


def _base(url: str) -> tuple[str, str, str]:
    """Scheme and host without case, path without its last slash."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", "", url
    if "?" in url or "#" in url:  # what follows is no path below that base
        return "", "", url
    scheme, host = parts.scheme.lower(), parts.netloc.lower()
    host = host.removesuffix(":443" if scheme == "https" else ":80")
    return scheme, host, parts.path.rstrip("/")
