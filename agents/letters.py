"""Dead letters: what could not be used, as it came, with the reason in headers."""

from __future__ import annotations

from collections.abc import Sequence

from engine.unit_of_work import Output
from schemas.refusal import Dead

from .records import Header, Origin
from .topics import DEAD

RETRY_OF = "__cxbus.retry-of"
ERRORS = "__cxbus.errors."


def letter(
    key: bytes | None, value: bytes | None, headers: Sequence[Header], stage: str, origin: Origin, dead: Dead
) -> Output:
    """The letter about a record that was published at ``origin`` and that ``stage`` could not use."""
    told = (
        (f"{ERRORS}stage", stage.encode()),
        (f"{ERRORS}topic", origin.topic.encode()),
        (f"{ERRORS}partition", b"%d" % origin.partition),
        (f"{ERRORS}offset", b"%d" % origin.offset),
        (f"{ERRORS}exception", dead.reason.encode()),
        (f"{ERRORS}message", dead.message.encode("utf-8", "replace")),
    )
    return Output(DEAD, 0, key, value, (*headers, *told))
