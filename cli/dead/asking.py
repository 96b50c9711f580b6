"""What the verbs about dead letters share: reading all of them, choosing one, the option ``--reason``, the table."""

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

ReasonOption = Annotated[str | None, typer.Option(help="Only dead letters with this reason, such as invalid-data.")]


def all_letters(bus: Bus) -> list[DeadLetter]:
    """All dead letters, oldest first. Raises ``Problem``."""
    with Feed(bus.bootstrap(), [DEAD]) as feed:
        return letters(feed.all())


def letter_of(found: Sequence[DeadLetter], which: str) -> DeadLetter:
    """The dead letter of a number or an origin. Raises ``Problem`` when there is none."""
    letter = chosen(found, which)
    if letter is None:
        raise Problem(f"There is no dead letter {shown(which)}; see `cxbus dead list`.", Code.WRONG)
    return letter


def draw(found: Sequence[DeadLetter]) -> None:
    """Print a table with one line for each dead letter."""
    table(
        ("n", "since", "reason", "origin", "message"),
        [(one.number, moment(one.at), one.reason, one.origin, one.message) for one in found],
        right=("n",),
    )
