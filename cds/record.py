"""The format in which the store keeps what a decision was made from; evaluates nothing.

Owns `DecisionRow.record`: a format number, a SHA-256 and compressed JSON. Of a draft order only
its reference is kept: what else an EHR writes into it may name people.
"""

import zlib
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds.made_from import MadeFrom


FORMAT = 1
MAX_BYTES = 64 * 1024 * 1024  # of the JSON; a request is at most 8 MiB
_LEVEL = 1  # a third of the time of the default level for a fifth more bytes
_DIGEST = 32
_BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# Decimals as text: their digits stay. Sets in one order: the same record is the same bytes.
_ENCODER = msgspec.json.Encoder(order="deterministic")


class RecordError(Exception):
    """These bytes are no record that this software reads; says why, and repeats nothing of them."""


class Record(Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What the store keeps: also what was said, so that a difference has a place.

    `drafts`: references of the draft orders; `by_hand`: of those to be held, the ones that could
    not be offered on hold. `cards`: their JSON, as in `given_back.without_drafts`.
    """

    made_from: MadeFrom
    cards: Raw
    drafts: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()


_DECODER = msgspec.json.Decoder(Record)


def pack(record: Record) -> bytes:
    """The record as it is kept; empty, which is "not kept", for one that nobody could read back."""
    plain = _ENCODER.encode(record)
    if len(plain) > MAX_BYTES:
        return b""
    return bytes([FORMAT]) + sha256(plain).digest() + zlib.compress(plain, _LEVEL)


def unpack(kept: bytes) -> Record:
    """The record in `kept`. Raises `RecordError`: another format, damage, or members unknown here.

    A member that would be left out is an error, not ignored: the decision may rest on it.
    """
    if kept[:1] != bytes([FORMAT]):
        raise RecordError(f"format {kept[0]} is not known here" if kept else "empty")
    digest, squeezed = kept[1 : 1 + _DIGEST], kept[1 + _DIGEST :]
    plain = _inflated(squeezed)
    if sha256(plain).digest() != digest:
        raise RecordError("damaged: not what was written")
    try:
        record = _DECODER.decode(plain)
        stored = msgspec.json.decode(plain)
    except _BAD:
        raise RecordError("does not have the members this software reads") from None
    if not _within(stored, msgspec.json.decode(_ENCODER.encode(record))):
        raise RecordError("has members that this software does not know")
    return record


def _inflated(squeezed: bytes) -> bytes:
    """Never more than `MAX_BYTES`, whatever a few bytes claim to be."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(squeezed, MAX_BYTES + 1)
    except zlib.error:
        raise RecordError("damaged: cannot be decompressed") from None
    if len(plain) > MAX_BYTES:
        raise RecordError("larger than any record")
    if not stream.eof or stream.unused_data:
        raise RecordError("damaged: cut short or longer than it says")
    return plain


def _within(stored: Any, read: Any) -> bool:
    """Whether all that was stored was read; what was read may have more, which are defaults."""
    if isinstance(stored, dict) and isinstance(read, dict):
        return all(name in read and _within(one, read[name]) for name, one in stored.items())
    if isinstance(stored, list) and isinstance(read, list):
        return len(stored) == len(read) and all(map(_within, stored, read))
    return type(stored) is type(read) and bool(stored == read)
