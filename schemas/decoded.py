"""What the codec makes of a record of a department's topic."""

from __future__ import annotations

import msgspec

MAX_BYTES = 256 * 1024
"""Of an event, as a structured CloudEvent."""


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A good event. ``time`` in UTC microseconds; ``value`` is the structured CloudEvent (the very bytes that came, if
    it came so); ``identifiers`` are (type, value) as sent. An answer to the bus has none: it echoes a customer's id.
    """

    type: str
    source: str
    id: str
    time: int
    value: bytes
    identifiers: tuple[tuple[str, str], ...]
    echoed: str = ""
