"""Foreign records: others wrote them to the bus's own topics. Reports whose state they hide, and which stop workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .finding import Finding, ok, warning, wrong

CHECK = "foreign records"
SHOWN = 10
"""At most so many of those that hide a state are listed."""


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A foreign record with a dead letter. ``place``: topic/partition/offset. ``hides``: whose state, if any."""

    place: str
    hides: str | None


def judge(told: Sequence[ForeignRecord], newer: Sequence[str]) -> Iterator[Finding]:
    """``newer``: error messages about records of a newer version of the bus, which stop the workers."""
    for words in newer:
        yield wrong(CHECK, words, "Run that version in every process; if there is none, somebody forged the record.")
    if not told:
        if not newer:
            yield ok(CHECK, "none on the bus's own topics")
        return
    hiding = [one for one in told if one.hides is not None]
    others = (
        "Let nobody but the bus write to its own topics (ACLs); `cxbus dead list --reason foreign-record` shows all."
    )
    yield warning(CHECK, f"{len(told)} on the bus's own topics, the last at {told[-1].place}", others)
    for one in hiding[-SHOWN:]:
        yield warning(
            CHECK,
            f"{one.place} has the key of {one.hides}: it replaces that state once Kafka compacts the topic",
            "The bus writes the state again with the next event of that customer; until then, restart no worker "
            "without its state directory.",
        )
