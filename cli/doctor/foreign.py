"""Records on the bus's own topics that others wrote: whose state they hide, and which one stops the workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .finding import Finding, ok, warning, wrong

CHECK = "foreign records"
SHOWN = 10
"""Of those that hide something."""


@dataclass(frozen=True, slots=True)
class Told:
    """A foreign record that the dead letters tell of. ``place``: topic/partition/offset; ``hides``: whose state."""

    place: str
    hides: str | None


def judge(told: Sequence[Told], newer: Sequence[str]) -> Iterator[Finding]:
    """``newer``: what was said of records that a later version of the bus wrote, and of which workers end."""
    for words in newer:
        yield wrong(CHECK, words, "Run that version everywhere; if there is none, somebody forged the record.")
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
            f"{one.place} stands under the key of {one.hides}, and hides that state once Kafka compacts",
            "The bus writes it again with the next event of that customer; until then, restart no worker without its "
            "state directory.",
        )
