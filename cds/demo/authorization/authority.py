"""The parts of one authorization server, and launching an app as an EHR does. No HTTP."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from cds.clock import Clock
from cds.demo.authorization.clients import Client
from cds.demo.authorization.grants import Context, Launch, State
from cds.demo.authorization.id_token import Signer, new_signer
from cds.demo.fhir.storage import Sandbox


Algorithm: TypeAlias = Literal["RS256", "ES384"]


class Lifetimes(Struct, frozen=True, kw_only=True):
    """How long each thing is good for."""

    launch: timedelta = timedelta(minutes=5)
    asking: timedelta = timedelta(minutes=10)
    code: timedelta = timedelta(seconds=60)
    access: timedelta = timedelta(minutes=10)
    refresh: timedelta = timedelta(hours=12)


class Authority(Struct, frozen=True, kw_only=True):
    """One authorization server of the FHIR server at `base`.

    `issuer`: absolute, without a slash at its end; the endpoints are below it. `user`: Type/id of
    who is signed in at the EHR.
    """

    store: Sandbox
    base: str
    issuer: str
    clients: Mapping[str, Client]
    clock: Clock
    user: str
    signer: Signer
    state: State
    lifetimes: Lifetimes

    @property
    def token_endpoint(self) -> str:
        """Also the audience of a client's assertion."""
        return f"{self.issuer}/token"


def open_authority(
    store: Sandbox,
    *,
    base: str,
    issuer: str,
    clients: Iterable[Client],
    clock: Clock,
    user: str,
    algorithm: Algorithm = "RS256",
    lifetimes: Lifetimes | None = None,
) -> Authority:
    """With a new signing key and nothing granted yet."""
    return Authority(
        store=store,
        base=base,
        issuer=issuer,
        clients={one.client_id: one for one in clients},
        clock=clock,
        user=user,
        signer=new_signer(algorithm),
        state=State(),
        lifetimes=lifetimes or Lifetimes(),
    )


def start_launch(authority: Authority, context: Context, launch_url: str = "") -> str:
    """The opaque id to give the app as `launch`; good once, for a short time."""
    now = authority.clock()
    launch = Launch(context, launch_url)
    until = now + authority.lifetimes.launch
    return authority.state.launches.put(launch, now=now, until=until)
