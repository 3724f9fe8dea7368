"""Who is looking at which patient, with which rights: what one launch of the app is about."""

from datetime import datetime

from msgspec import Struct


class Context(Struct, frozen=True, kw_only=True):
    """One open launch. Kept sealed in the store; never in a URL, in a log or in the browser.

    `launch`: its id, as in the URLs of its pages. `patient`: a bare id. `user`: the reference of
    the id_token's `fhirUser`, relative ("Practitioner/12"). `encounter`: "Encounter/3", or empty.
    `scopes`: those that were granted. `expires_at`: of the access token. `csrf`: what every form
    of this launch carries.
    """

    launch: str
    site: str
    patient: str
    user: str
    csrf: str
    access_token: str
    expires_at: datetime
    scopes: frozenset[str] = frozenset()
    encounter: str = ""
    refresh_token: str = ""
    banner: bool = True

    @property
    def may_chart(self) -> bool:
        """Whether what this user states counts as a clinician's statement."""
        return self.user.startswith(("Practitioner/", "PractitionerRole/"))
