"""A launch between the two visits of the browser: what was asked, of whom, with which secrets."""

from datetime import datetime

from msgspec import Struct

from cds.smart.oauth.discovery import Server


class Pending(Struct, frozen=True, kw_only=True):
    """Kept sealed in the store until the browser comes back; serialises to JSON.

    `server`: as its metadata were when it was asked, so that the code goes to no other one.
    `scope`: what was asked for. `nonce`: empty where no id_token was asked for.
    """

    site: str
    launch: str
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    scope: str
    server: Server
    asked_at: datetime

    def __repr__(self) -> str:
        return "Pending(…)"
