"""What the browser brings back from the authorization server: a code, or why there is none.

RFC 6749 4.1.2 and 4.1.2.1, RFC 9207. `error_description` is never read: whoever made the link
chose its words.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cds.smart.oauth.pending import Pending
from cds.smart.oauth.refusal import LaunchRefused, RefusedKind


LONGEST_WAIT = timedelta(minutes=30)  # for somebody to sign in and to choose a patient
Arguments = Mapping[str, Sequence[str]]

_LONGEST = 8192  # characters of all values; the longest codes in use have about two thousand
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
_STATE = re.compile(r"([A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{1,128}")
_ERRORS: Mapping[str, RefusedKind] = {
    "access_denied": "declined",
    "login_required": "declined",
    "interaction_required": "declined",
    "consent_required": "declined",
    "temporarily_unavailable": "server-busy",
    "server_error": "server-busy",
    "invalid_scope": "scope-refused",
}


def launch_of(args: Arguments) -> str:
    """The launch id in `state`, to look up what is pending; raises `LaunchRefused`. Not trusted."""
    found = _STATE.fullmatch(_one(args, "state"))
    if found is None:
        raise LaunchRefused("state")
    return found[1]


def code_of(pending: Pending, args: Arguments, now: datetime) -> str:
    """The code, from the server that was asked and for this launch; raises `LaunchRefused`."""
    state = _one(args, "state")
    if not hmac.compare_digest(state.encode(errors="replace"), pending.state.encode()):
        raise LaunchRefused("state")
    if now - pending.asked_at > LONGEST_WAIT:
        raise LaunchRefused("too-late")
    issuer = _one(args, "iss")
    # RFC 9207 2.4: compared before anything else of the answer is used, errors as well.
    if issuer != pending.server.issuer and (issuer or pending.server.names_itself):
        raise LaunchRefused("issuer")
    error, code = _one(args, "error"), _one(args, "code")
    if error and code:
        raise LaunchRefused("callback")
    if error:
        raise LaunchRefused(_ERRORS.get(error, "authorization-refused"))
    if not _CODE.fullmatch(code):
        raise LaunchRefused("callback")
    return code


def _one(args: Arguments, name: str) -> str:
    """The only value of `name`, or an empty text; RFC 6749 3.1: no parameter comes twice."""
    if any(len(values) > 1 for values in args.values()):
        raise LaunchRefused("callback")
    if sum(len(value) for values in args.values() for value in values) > _LONGEST:
        raise LaunchRefused("callback")
    return next(iter(args.get(name, ())), "")
