"""The streams that an event belongs to: its type, its kind of matter, contacts, engagement of the customer."""

from __future__ import annotations

from collections.abc import Mapping

from .vocabulary import EventType

CONTACT = "contact"
ENGAGED = "engaged"

Streams = tuple[str, ...]
"""The streams of one event, its type first."""


def matter_of(kind: EventType, data: Mapping[str, object]) -> tuple[str, str] | None:
    """Kind and id of the matter that an event of this type and content is about, if it names one."""
    role = kind.entity
    name = None if role is None else data.get(role.id_field)
    return None if role is None or name is None else (role.entity, str(name))
