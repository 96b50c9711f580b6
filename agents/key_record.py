"""The record of the key among the identities: with which key, and by which normalisation, they are made."""

from __future__ import annotations

import orjson

from engine.kafka.errors import Permanent
from schemas.topics import IDENTITIES

from .identifiers import Identifiers
from .normalisation import VERSION


class WrongKey(Permanent):
    """The identities were made with another key: every known customer would look new."""


class OtherNormalisation(Permanent):
    """The identities were made of values that this version of the bus writes otherwise: the same would happen."""


def key_record(identifiers: Identifiers) -> bytes:
    """How the identities are made: the value of the record of the key."""
    return orjson.dumps({"fingerprint": identifiers.fingerprint, "normalisation": VERSION})


def check_key(value: bytes, identifiers: Identifiers) -> None:
    """Raises ``WrongKey`` or ``OtherNormalisation`` unless identities are still made as the record of the key says."""
    if orjson.loads(value)["fingerprint"] != identifiers.fingerprint:
        raise WrongKey("CXBUS_IDENTITY_KEY is not the key with which this bus's identities were made")
    if (made := normalisation_of(value)) != VERSION:
        raise OtherNormalisation(". ".join(other_normalisation(made)))


def normalisation_of(value: bytes) -> int:
    """The version of the normalisation of which the record of the key tells; the first one did not say."""
    return int(orjson.loads(value).get("normalisation", 1))


def other_normalisation(made: int) -> tuple[str, str]:
    """What it means that identities were made with that version of the normalisation, and what to do."""
    return (
        f"{IDENTITIES} was made with version {made} of the normalisation of identifiers, and this cxbus has version "
        f"{VERSION}: it would know nobody again",
        "Run the cxbus that made it, or rebuild: use a Kafka (or a data directory) without the bus's own topics, "
        "and let the departments publish again",
    )
