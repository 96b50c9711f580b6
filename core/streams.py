"""The streams that an event belongs to: its type, its kind of matter, contacts, what engaged the customer."""

from __future__ import annotations

from collections.abc import Mapping

from .vocabulary import EventType

CONTACT = "contact"
ENGAGED = "engaged"

Streams = tuple[str, ...]
"""Those of one event, its type first. There are few combinations: what follows from one is kept."""


def streams_of(kind: EventType, data: Mapping[str, object]) -> Streams:
    """The streams that an event of this type and content belongs to."""
    found = [kind.name]
    if kind.entity is not None and data.get(kind.entity.id_field) is not None:
        found.append(kind.entity.entity)
    if is_contact(kind, data):
        found.append(CONTACT)
    if kind.engaged is not None and kind.holds(kind.engaged, data):
        found.append(ENGAGED)
    return tuple(found)


def is_contact(kind: EventType, data: Mapping[str, object]) -> bool:
    """Whether an event of this type and content is a contact: outbound, and to sell or to ask."""
    return kind.outbound is not None and kind.holds(kind.outbound, data)
