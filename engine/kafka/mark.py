"""The mark of the bus's own records: the header ``v``, the version of their form. Whoever can write to the bus's topics
may put anything there; a record without the mark is *foreign*, and every reader skips it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Protocol

from engine.kafka.errors import Permanent

NAME = "v"
VERSION = 1
MARK = (NAME, b"%d" % VERSION)
_NUMBER = re.compile(rb"[1-9][0-9]{0,8}")


class Placed(Protocol):
    """The fields of a record that the check needs."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Collection[tuple[str, bytes]]: ...


class Newer(Permanent):
    """A later version of the bus wrote the record: its form is not known here."""

    def __init__(self, place: str, version: int) -> None:
        super().__init__(
            f"the record {place} was written by version {version} of the bus, and this one knows version {VERSION}: "
            "run the newer version"
        )


def is_ours(record: Placed) -> bool:
    """Whether the bus wrote the record. Raises ``Newer``."""
    if MARK in record.headers:
        return True
    told = (_NUMBER.fullmatch(value or b"") for name, value in record.headers if name == NAME)
    version = max((int(found.group()) for found in told if found is not None), default=0)
    if version > VERSION:
        raise Newer(f"{record.topic}/{record.partition}/{record.offset}", version)
    return False
