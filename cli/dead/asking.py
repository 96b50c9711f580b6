"""What the verbs about dead letters ask for: the letters, one of them, those of a reason; and their table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from schemas.topics import DEAD

from ..bus import Bus
from ..dead_letters import DeadLetter, chosen, letters
from ..feed import Feed
from ..output import shown
from ..problem import Code, Problem
from ..tables import table
from ..words import moment

Reason = Annotated[str | None, typer.Option(help="Only those of this reason, like invalid-data.")]


def all_letters(bus: Bus) -> list[DeadLetter]:
    """The dead letters, oldest first. Raises ``Problem``."""
    with Feed(bus.bootstrap(), [DEAD]) as feed:
        return letters(feed.all())


def letter_of(found: Sequence[DeadLetter], which: str) -> DeadLetter:
    """The letter of a number or an origin. Raises ``Problem`` when there is none."""
    letter = chosen(found, which)
    if letter is None:
        raise Problem(f"There is no dead letter {shown(which)}; see `cxbus dead list`.", Code.WRONG)
    return letter


def draw(found: Sequence[DeadLetter]) -> None:
    """One line for each."""
    table(
        ("n", "since", "reason", "origin", "message"),
        [(one.number, moment(one.at), one.reason, one.origin, one.message) for one in found],
        right=("n",),
    )
