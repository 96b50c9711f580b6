"""What is dropped of an event's identifiers because it identifies nobody, and how its publisher is told."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import NamedTuple

from schemas.refusal import Dead, Reason

SHOWN = 5
"""Dropped identifiers that a letter names; the others are counted."""


class Nobody(NamedTuple):
    """Why something identifies nobody, to be read on after "… is". ``type`` is None where no type has that name."""

    type: str | None
    why: str


class Dropped(NamedTuple):
    """An identifier of an event that identifies nobody, and where it stands in ``data.customer.identifiers``."""

    place: int
    nobody: Nobody


def refusal(kept: Sized, dropped: Sequence[Dropped]) -> Dead | None:
    """Why an event with these identifiers can't be taken; ``None`` when it can."""
    for place, nobody in dropped:
        if nobody.type is None:
            return Dead(Reason.INVALID_DATA, f"data.customer.identifiers[{place}].type is {nobody.why}")
    if kept or not dropped:
        return None
    return Dead(
        Reason.NO_IDENTIFIER,
        f"none of data.customer.identifiers identifies anybody: {told(dropped)}; send at least one that does.",
    )


def told(dropped: Sequence[Dropped]) -> str:
    """Which identifiers were dropped, and why; no value."""
    named = [f"[{place}] ({nobody.type}) is {nobody.why}" for place, nobody in dropped[:SHOWN]]
    more = [f"and {len(dropped) - SHOWN} more"] if len(dropped) > SHOWN else []
    return ", ".join([*named, *more])
