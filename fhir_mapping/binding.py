"""Whose resource is this? One patient on one FHIR base, by every spelling of a reference.

Another patient or another base raises `AnotherPatient`. A reference that is missing or leads
nowhere answers False: the resource is not used, and that is for the caller to report.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from fhir_mapping.datatypes import Identifier, Reference
from fhir_mapping.errors import AnotherPatient
from fhir_mapping.resources import Observation, Patient


PATIENT_UNKNOWN = "patient-unknown"
_RELATIVE = re.compile(
    r"([A-Z][A-Za-z]*)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_HTTP = ("http://", "https://")


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
        self._identifiers: frozenset[Identifier] = frozenset(
            identifier
            for patient in patients
            if patient.id == patient_id
            for identifier in patient.identifier
            if identifier.system and identifier.value
        )
        self._by_full_url = by_full_url or {}
        self._verdicts: dict[str, bool | None] = {}
        self._own = frozenset({f"Patient/{patient_id}"})

    def owns(self, reference: Reference | None, where: object, full_url: str | None = None) -> bool:
        """True: this patient. False: nobody can say. Raises `AnotherPatient`."""
        if reference is None:
            return False
        text = reference.reference
        if text is None:
            return reference.identifier is not None and reference.identifier in self._identifiers
        if text not in self._verdicts:
            self._verdicts[text] = self._resolve(text)
        verdict = self._verdicts[text]
        if verdict is None:
            raise AnotherPatient(str(where))
        if verdict and full_url is not None and not text[:8].lower().startswith(_HTTP):
            # A relative reference is relative to the base its own resource came from.
            self.same_base(full_url, where)
        return verdict

    def surely_owns(self, observation: Observation, full_url: str | None) -> bool:
        """The quick answer for the many that look alike; False means: ask `owns`."""
        subject = observation.subject
        return (
            subject is not None
            and subject.reference in self._own
            and not observation.contained
            and (full_url is None or full_url.startswith(self._prefix))
        )

    def is_other(self, reference: Reference, where: object) -> bool:
        """True if the reference is to anything but this patient; never raises."""
        try:
            return not self.owns(reference, where)
        except AnotherPatient:
            return True

    def same_base(self, full_url: str, where: object) -> None:
        """Raises `AnotherPatient` if an absolute URL of a resource is on another FHIR base."""
        if self._base is None or not full_url[:8].lower().startswith(_HTTP):
            return
        if full_url.startswith(self._prefix):
            return
        head = full_url.partition("/_history/")[0].rsplit("/", 2)[0]
        if _base(head) != self._base:
            raise AnotherPatient(str(where))

    def is_patient(self, patient: Patient, where: object) -> None:
        """Raises `AnotherPatient` if a Patient resource has an id that is not this patient's."""
        if patient.id is not None and patient.id != self._patient_id:
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
    scheme, host = parts.scheme.lower(), parts.netloc.lower()
    host = host.removesuffix(":443" if scheme == "https" else ":80")
    return scheme, host, parts.path.rstrip("/")
