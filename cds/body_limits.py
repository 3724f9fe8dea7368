"""What a request body must be before a decoder sees it: its size, encoding and depth of nesting."""

from cds.errors import BadHookRequest, TooLarge


MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64


def depth_exceeds(body: bytes, limit: int) -> bool:
    """Whether brackets outside strings nest deeper than `limit`; linear, and decodes nothing.

    Removing every innermost pair once lowers the height of the nesting by exactly one. Unbalanced
    text with more opening brackets than the limit counts as too deep.
    """
    brackets = _brackets(body)
    if brackets.count(b"{") <= limit:
        return False
    for _ in range(limit):
        before, brackets = len(brackets), brackets.replace(b"{}", b"")
        if len(brackets) == before:  # nothing left, or text that never closes what it opens
            break
    return brackets.count(b"{") > 0


_KEPT = b'"{}[]'
_SQUARE_AS_CURLY = bytes.maketrans(b"[]", b"{}")
_DROPPED = bytes(set(range(256)) - set(_KEPT))


def _brackets(body: bytes) -> bytes:
    """Only the brackets outside strings, square ones written as curly ones."""
    if b"\\" in body:  # an escaped quote does not end a string
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    kept = body.translate(_SQUARE_AS_CURLY, _DROPPED)
    # Taking two marks away that touch changes no bracket's side of a string: the parity stays.
    return b"".join(kept.replace(b'""', b"").split(b'"')[::2])


def refuse_unbounded(body: bytes) -> None:
    """Raises `TooLarge` or `BadHookRequest` for a body that must not reach a decoder."""
    if len(body) > MAX_BYTES:
        raise TooLarge(f"the body is larger than {MAX_BYTES} bytes")
    if not body.strip():
        raise BadHookRequest("the body is empty")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadHookRequest("the body is not UTF-8") from None
    if depth_exceeds(body, MAX_DEPTH):
        brackets = _brackets(body)
        if brackets.count(b"{") != brackets.count(b"}"):
            raise BadHookRequest("the body is not JSON: a bracket is not closed")
        raise BadHookRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels")
