"""An archived alert in bytes, as the topic of notified alerts and the local store have it: MessagePack."""

from __future__ import annotations

import msgspec

from core.alerts.alert import Alert


def stored(alert: Alert) -> bytes:
    """What is written of it."""
    return _ENCODER.encode(alert)


def alert(stored: bytes) -> Alert:
    """What ``stored`` wrote. Raises ``ValueError`` for anything else."""
    return _DECODER.decode(stored)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Alert)
