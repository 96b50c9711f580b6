"""Identifiers of an event that are dropped because they identify nobody, and what the publisher is told about them."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import NamedTuple

from schemas.refusal import Reason, Refusal

SHOWN = 5
"""Dropped identifiers that a dead letter names; the others are counted."""


class Nobody(NamedTuple):
    """Why a value identifies nobody, worded to follow "… is". ``type`` is ``None`` where no type has that name."""

    type: str | None
    why: str


class Dropped(NamedTuple):
    """An identifier that identifies nobody, and its index in ``data.customer.identifiers``."""

    place: int
    nobody: Nobody


def refusal(kept: Sized, dropped: Sequence[Dropped]) -> Refusal | None:
    """Why an event with these identifiers is refused; ``None`` if it is not."""
    for place, nobody in dropped:
        if nobody.type is None:
            return Refusal(Reason.INVALID_DATA, f"data.customer.identifiers[{place}].type is {nobody.why}")
    if kept or not dropped:
        return None
    return Refusal(
        Reason.NO_IDENTIFIER,
        "none of data.customer.identifiers identifies anybody: "
        f"{named_by_place(dropped)}; send at least one that does.",
    )


def named_by_place(dropped: Sequence[Dropped]) -> str:
    """Which identifiers were dropped, and why; their values are left out."""
    named = [f"[{place}] ({nobody.type}) is {nobody.why}" for place, nobody in dropped[:SHOWN]]
    more = [f"and {len(dropped) - SHOWN} more"] if len(dropped) > SHOWN else []
    return ", ".join([*named, *more])
