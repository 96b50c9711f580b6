"""The mark of the bus's own records, as ``engine.kafka.mark`` has it, which sinks do not know: the header ``v``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .base import SinkRefused

VERSION = 1
MARK = ("v", b"%d" % VERSION)
_NUMBER = re.compile(rb"[1-9][0-9]{0,8}")


def check_version(place: str, headers: Iterable[tuple[str, bytes]]) -> None:
    """Raises ``SinkRefused`` when a later version of the bus wrote the record at ``place``."""
    told = (_NUMBER.fullmatch(value or b"") for name, value in headers if name == MARK[0])
    version = max((int(found.group()) for found in told if found is not None), default=0)
    if version > VERSION:
        raise SinkRefused(
            f"The record {place} was written by version {version} of the bus, and this sink knows version {VERSION}: "
            "run the newer version."
        )
