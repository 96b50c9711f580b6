"""The streams that an event belongs to: its type, its kind of matter, contacts, what engaged the customer."""

from __future__ import annotations

from collections.abc import Mapping

from .vocabulary import EventType

CONTACT = "contact"
ENGAGED = "engaged"

Streams = tuple[str, ...]
"""Those of one event, its type first."""


def streams_of(kind: EventType, data: Mapping[str, object], *, about: bool) -> Streams:
    """The streams that an event of this type and content belongs to; ``about``: it names a matter."""
    found = [kind.name]
    if about and kind.entity is not None:
        found.append(kind.entity.entity)
    if is_contact(kind, data):
        found.append(CONTACT)
    if is_engaged(kind, data):
        found.append(ENGAGED)
    return tuple(found)


def matter_of(kind: EventType, data: Mapping[str, object]) -> tuple[str, str] | None:
    """Kind and id of the matter that an event of this type and content is about, if it names one."""
    role = kind.entity
    name = None if role is None else data.get(role.id_field)
    return None if role is None or name is None else (role.entity, str(name))


def is_contact(kind: EventType, data: Mapping[str, object]) -> bool:
    """Whether an event of this type and content is a contact: outbound, and to sell or to ask."""
    return kind.holds(kind.outbound, data)


def is_engaged(kind: EventType, data: Mapping[str, object]) -> bool:
    """Whether in an event of this type and content the customer did something themselves."""
    return kind.holds(kind.engaged, data)
