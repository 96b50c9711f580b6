"""The key record of the identities topic: a fingerprint of the identity key, and the version of the normalisation."""

from __future__ import annotations

import orjson

from engine.kafka.errors import Permanent
from schemas.topics import IDENTITIES

from .identifiers import Identifiers
from .normalisation import VERSION


class WrongKey(Permanent):
    """The identities were made with another key: every known customer would look new."""


class OtherNormalisation(Permanent):
    """The identities were made with another version of the normalisation: known customers would look new."""


def key_record(identifiers: Identifiers) -> bytes:
    """The value of the key record."""
    return orjson.dumps({"fingerprint": identifiers.fingerprint, "normalisation": VERSION})


def check_key(value: bytes, identifiers: Identifiers) -> None:
    """Checks the key record ``value`` against this process. Raises ``WrongKey`` or ``OtherNormalisation``."""
    if orjson.loads(value)["fingerprint"] != identifiers.fingerprint:
        raise WrongKey("CXBUS_IDENTITY_KEY is not the key with which this bus's identities were made")
    if (made := normalisation_of(value)) != VERSION:
        raise OtherNormalisation(". ".join(other_normalisation(made)))


def normalisation_of(value: bytes) -> int:
    """The version of the normalisation in the key record; the first version did not write it."""
    return int(orjson.loads(value).get("normalisation", 1))


def other_normalisation(made: int) -> tuple[str, str]:
    """What it means that identities were made with that version of the normalisation, and what to do about it."""
    return (
        f"{IDENTITIES} was made with version {made} of the normalisation of identifiers, and this cxbus has version "
        f"{VERSION}: it would recognise no customer",
        "Run the version that made it, or rebuild: use a Kafka (or a data directory) without the bus's own topics, "
        "and let the departments publish again",
    )
