"""The forms of keys on the bus's compacted topics, and what each key stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from schemas.topics import IDENTITIES, NOTIFIED, PROFILES, PROGRESS, TIMELINE

_KEYS: Mapping[str, tuple[str, re.Pattern[bytes]]] = {
    TIMELINE: ("the timeline entry", re.compile(rb"c_[0-9a-f]{26}/[0-9a-f]{32}")),
    PROFILES: ("the customer", re.compile(rb"c_[0-9a-f]{26}")),
    NOTIFIED: ("the notified alert", re.compile(rb"c_[0-9a-f]{26}/a_[0-9a-f]{26}")),
    IDENTITIES: ("the identity", re.compile(rb"c/c_[0-9a-f]{26}|i/[0-9a-f]{32}|#key")),
    PROGRESS: ("the progress of", re.compile(rb"(?:journey|resolver)/[0-9]{1,5}")),
}
"""By compacted topic: what a key stands for, and its form."""


def key_of_ours(topic: str, key: bytes | None) -> str | None:
    """What a foreign record under this key of a compacted topic hides; ``None`` if it is no key of the bus."""
    form = _KEYS.get(topic)
    found = None if form is None else form[1].fullmatch(key or b"")
    return None if form is None or found is None else f"{form[0]} {found.group().decode()}"
