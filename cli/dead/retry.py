"""``cxbus dead retry``: publishes dead letters again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from schemas.codec import MAX_BYTES
from schemas.dead_letter import RETRY_OF

from ..admin import admin, reached
from ..bus import Bus, bus_of
from ..dead_letters import DeadLetter, unsendable
from ..output import note, say
from ..problem import Code, Problem
from ..publication import Acknowledged, publish
from ..words import count, listed
from .asking import ReasonOption, all_letters, draw, letter_of

SHOWN = 50
INTAKE = 10.0
"""Seconds to wait until the workers have read what was published again."""


def retry(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="[N]", help="Its number in `cxbus dead list`, or its origin.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Retry all that `cxbus dead list` shows.")] = False,
    reason: ReasonOption = None,
) -> None:
    """Publish a dead letter again, unchanged: after a rule, a contract or the bus itself was fixed.

    It keeps its key and headers and gets the header __cxbus.retry-of. An event that is already on a timeline counts
    once. One that is larger than an event may be is not sent. One that fails again becomes a new dead letter, which is
    shown, with exit code 1. An event that is wrong in itself fails again: its department must publish a corrected one.

    Example: cxbus dead retry 12, or: cxbus dead retry --all --reason decision-error
    """
    if all_ == (which is not None):
        raise Problem("Say which dead letter, or --all: cxbus dead retry 12", Code.USAGE)
    if reason is not None and not all_:
        raise Problem("--reason goes with --all.", Code.USAGE)
    bus = bus_of(context)
    sendable = _sendable(all_letters(bus), which, reason)
    acknowledged = publish(
        bus.bootstrap(),
        [(one.topic, one.value, one.key, (*one.headers, (RETRY_OF, one.place.encode()))) for one in sendable],
    )
    by_topic = Counter(one.topic for one in sendable)
    targets = listed([f"{n} to {name}" for name, n in by_topic.items()])
    say(f"{count(len(sendable), 'dead letter')} sent again: {targets}.")
    if not _taken(bus, acknowledged):
        raise Problem(
            f"The workers have not read all of it within {INTAKE:.0f} s (see `cxbus status`). What fails again "
            "will be in `cxbus dead list` as a new dead letter.",
            Code.AWAY,
        )
    _tell_again(bus, sendable)


def _sendable(found: Sequence[DeadLetter], which: str | None, reason: str | None) -> list[DeadLetter]:
    """The chosen dead letters that can be sent; a note counts the others. Raises ``Problem`` when none is left."""
    if which is None:
        wanted = [one for one in found if one.again is None and reason in (None, one.reason)]
    else:
        wanted = [letter_of(found, which)]
        if wanted[0].again is not None:
            raise Problem(f"It was retried and failed again, as dead letter {wanted[0].again}.", Code.USAGE)
    judged = [(one, unsendable(one, MAX_BYTES)) for one in wanted]
    for why, number in Counter(why for _, why in judged if why is not None).items():
        note(f"{count(number, 'dead letter')} can't be sent: {why}.")
    sendable = [one for one, why in judged if why is None]
    if not sendable:
        raise Problem("There is no such dead letter to send again.", Code.WRONG)
    return sendable


def _tell_again(bus: Bus, sent: Sequence[DeadLetter]) -> None:
    """Print the result of the retry; exit code 1 when any event became a dead letter again."""
    places = {one.place for one in sent}
    again = [one for one in all_letters(bus) if one.retry_of in places]
    say(f"{len(sent) - len(again)} succeeded, {len(again)} failed again{':' if again else '.'}")
    if again:
        draw(again[:SHOWN])
        raise typer.Exit(Code.WRONG)


def _taken(bus: Bus, acknowledged: Sequence[Acknowledged]) -> bool:
    """Wait until the offsets that intake committed are past these records. False after ``INTAKE`` seconds."""
    group = bus.settings.app_id
    wanted: dict[tuple[str, int], int] = {}
    for record in acknowledged:
        at = (record.topic, record.partition)
        wanted[at] = max(wanted.get(at, 0), record.offset)
    until = time.monotonic() + INTAKE
    with admin(bus.bootstrap()) as client:
        while True:
            committed = reached(client, group, wanted)
            if all(committed.get(at, 0) > offset for at, offset in wanted.items()):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.2)
