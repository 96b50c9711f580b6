"""What the codec returns for a good record of a department's topic."""

from __future__ import annotations

import msgspec

MAX_BYTES = 256 * 1024
"""Largest size of an event as a structured CloudEvent, in bytes."""


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A good event. ``time`` in UTC microseconds; ``value``: the structured CloudEvent (the bytes received, if it was
    structured); ``identifiers``: (type, value) as sent. An answer to the bus has none: it echoes a customer's id.
    """

    type: str
    source: str
    id: str
    time: int
    value: bytes
    identifiers: tuple[tuple[str, str], ...]
    echoed: str = ""
