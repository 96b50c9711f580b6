"""What the bus says, as a structured CloudEvent in bytes."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from core.event import rfc3339
from schemas.outputs import SOURCE


def cloud_event(kind: str, message_id: str, time: int, data: Mapping[str, object]) -> bytes:
    """A structured CloudEvent of the bus. ``time`` in µs."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message_id,
            "source": SOURCE,
            "type": kind,
            "time": rfc3339(time),
            "datacontenttype": "application/json",
            "data": data,
        }
    )
