"""What departments' events mean (vocabulary: the types), as far as rules can ask."""

from __future__ import annotations

from typing import Any

from .contacts import is_contact, is_engaged
from .entry import Entry

DEFAULTS = {
    ("marketing.campaign.sent.v1", "purpose"): "promotion",
    ("marketing.email.clicked.v1", "machine"): False,
    ("service.conversation.ended.v1", "direction"): "inbound",
}
"""What a missing field means."""


def value(e: Entry, name: str) -> Any:
    """The field's value, or what a missing one means; ``None`` if that is nothing."""
    said = e.data.get(name)
    return DEFAULTS.get((e.type, name)) if said is None else said


def is_of(e: Entry, stream: str) -> bool:
    """A stream is an event type, or one of two made of many."""
    if stream == "contact":
        return is_contact(e)
    return is_engaged(e) if stream == "engaged" else e.type == stream
