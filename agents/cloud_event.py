"""What the bus emits, as a structured CloudEvent in bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from schemas.outputs import SOURCE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_json = msgspec.json.Encoder().encode


def cloud_event(kind: str, message_id: str, time: int, data: bytes) -> bytes:
    """A structured CloudEvent of the bus around ``data``, a JSON object. ``time`` in µs. ``kind`` and ``message_id``
    are the bus's own and need no escaping.
    """
    return _MESSAGE % (message_id.encode(), kind.encode(), moment(time), data)


def moment(instant: int) -> bytes:
    """An instant (µs) as JSON: the text of ``rfc3339`` in quotation marks. Raises as ``rfc3339`` does."""
    return _json(_EPOCH + instant * _MICROSECOND)


_MESSAGE = (
    b'{"specversion":"1.0","id":"%b","source":"'
    + SOURCE.encode()
    + b'","type":"%b","time":%b,"datacontenttype":"application/json","data":%b}'
)
