"""What a second worker process does with the tokens it is sent."""

from typing import Protocol

from cds.config import Issuer
from cds.errors import Unauthorized
from cds.store import open_store
from cds.trust import Keys, verify
from tests.conformance.tokens import ENDPOINT, NOW


class Gate(Protocol):
    """Where processes wait for each other."""

    def wait(self, timeout: float) -> int: ...


_gates: list[Gate] = []


def begin(gate: Gate) -> None:
    """Once in each process."""
    _gates.append(gate)


def accepted(url: str, issuers: dict[str, tuple[Issuer, ...]], tokens: list[str]) -> list[str]:
    """For each token the site it was let in for, or why it was not."""
    store, keys = open_store(url, wait=20), Keys(monotonic=lambda: 0.0)
    _gates[0].wait(30)
    found = []
    for token in tokens:
        try:
            caller = verify(
                f"Bearer {token}",
                endpoint_urls=frozenset({ENDPOINT}),
                issuers=issuers,
                keys=keys,
                first_use=store.first_use,
                now=NOW,
            )
            found.append(caller.site)
        except Unauthorized as error:
            found.append(error.kind)
    store.close()
    return found
