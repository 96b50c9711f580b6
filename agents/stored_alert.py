"""An archived alert in bytes (MessagePack), as on the topic of notified alerts and in the local store."""

from __future__ import annotations

import msgspec

from core.alerts.alert import Alert


def stored(alert: Alert) -> bytes:
    """Encodes the alert."""
    return _ENCODER.encode(alert)


def alert(stored: bytes) -> Alert:
    """Decodes what ``stored`` wrote. Raises ``ValueError`` for anything else."""
    return _DECODER.decode(stored)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Alert)
