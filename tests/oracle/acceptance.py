"""Acceptance: which of the departments' records are events of somebody (vocabulary: reasons of dead letters).

The contracts of the types are taken from ``schemas``; all that semantics 1.1 and 2 add is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from schemas.codec import Codec
from schemas.refusal import Refusal
from schemas.registry import Registry

from .entry import Arrival, D, arrival
from .identifiers import Identifier, identifiers, is_type
from .topics import Record, origin

CODEC = Codec(Registry.discover())


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event. ``echoed``: the customer id in an answer to the bus, which has no identifiers."""

    arrival: Arrival
    identifiers: tuple[Identifier, ...]
    echoed: str | None = None


def accepted(record: Record, region: str | None) -> Accepted | str:
    """The event, or the reason for which it must be a dead letter of intake."""
    decoded = CODEC.decode(record.topic.split(".")[1], record.value, record.headers)
    if isinstance(decoded, Refusal):
        return str(decoded.reason)
    event: dict[str, Any] = orjson.loads(decoded.value)
    came = arrival(event, record.timestamp * 1000, origin(record))
    if came.time > came.received + D:
        return "time-in-future"
    if event["type"].startswith("bus."):
        return Accepted(came, (), event["data"]["customerId"])
    if not all(is_type(one["type"]) for one in event["data"]["customer"]["identifiers"]):
        return "invalid-data"
    known = identifiers(event["data"], region)
    return Accepted(came, tuple(known)) if known else "no-identifier"
