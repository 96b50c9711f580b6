"""``cxbus dead list`` and ``show``: records that could not be used, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from core.timeline.entry import rfc3339
from schemas.refusal import Reason as Known

from ..bus import Bus, bus_of
from ..dead_letters import Cut, DeadLetter
from ..feed import Feed
from ..lines import plain
from ..output import document, note, say, shown
from ..problem import Code, Problem
from ..tables import facts
from ..words import count, listed, moment
from .asking import ReasonOption, all_letters, draw, letter_of

SHOWN = 50
Which = Annotated[str, typer.Argument(metavar="N", help="Its number in `cxbus dead list`, or its origin.")]


def list_(
    context: typer.Context,
    reason: ReasonOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Show at most this many, the newest.")] = SHOWN,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the newest dead letters. One that was retried and failed again is listed once, as the newer.

    They are kept for 21 days, even if a retry succeeded.

    Example: cxbus dead list --reason invalid-data
    """
    if reason is not None and reason not in [known.value for known in Known]:
        known_ones = ", ".join(known.value for known in Known)
        raise Problem(f"--reason {shown(reason)} is not a reason; the reasons are {known_ones}.", Code.USAGE)
    found = [one for one in all_letters(bus_of(context)) if one.again is None and reason in (None, one.reason)]
    newest = found[-lines:]
    if json:
        document([_plain(one) for one in newest])
        return
    if not found:
        say("No dead letters.")
        return
    draw(newest)
    by_reason = Counter(one.reason for one in found)
    note(
        f"{count(len(found), 'dead letter')}: {listed([f'{n} {name}' for name, n in by_reason.most_common()])}. "
        "cxbus dead show N shows one, cxbus dead retry N sends it again."
    )


def show(
    context: typer.Context,
    which: Which,
    whole: Annotated[
        bool, typer.Option("--whole", help="If it is truncated, read the whole record at its origin.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show one dead letter with its record and headers. Of a record over 1 MiB it has only the beginning.

    Example: cxbus dead show 12, or: cxbus dead show cx.sales.events.v1/0/7
    """
    bus = bus_of(context)
    letter = letter_of(all_letters(bus), which)
    if whole and letter.cut is not None:
        letter = _uncut(bus, letter, letter.cut)
    if json:
        document(_plain(letter) | {"value": _value(letter), "headers": _headers(letter)})
        return
    facts(
        [
            (
                "dead letter",
                f"{letter.number}, since {moment(letter.at)}" + (f", {letter.copies} copies" * (letter.copies > 1)),
            ),
            ("origin", f"{letter.origin} (found by {letter.stage or '?'})"),
            ("up to", None if letter.last is None else f"offset {letter.last}: none of these records can be read"),
            ("truncated", None if letter.cut is None else _kept(letter, letter.cut)),
            ("reason", letter.reason),
            ("message", letter.message),
            ("retry of", letter.retry_of),
            ("retried", None if letter.again is None else f"failed again as dead letter {letter.again}"),
            ("key", None if letter.key is None else letter.key.decode(errors="replace")),
            ("headers", "\n".join(f"{name}: {value}" for name, value in _headers(letter).items())),
        ]
    )
    say("")
    value = _value(letter)
    if isinstance(value, str):
        say(shown(value))
    else:
        document(value)


def _kept(letter: DeadLetter, cut: Cut) -> str:
    """How much of the record the dead letter holds, as text."""
    parts = [f"{len(letter.value or b'')} of {cut.value_bytes} bytes of the value"]
    if cut.key_bytes:
        parts.append(f"{len(letter.key or b'')} of {cut.key_bytes} bytes of the key")
    if cut.headers:
        parts.append(f"{len(letter.headers)} of {count(cut.headers, 'header')}, each truncated to 1024 bytes")
    more = (
        ""
        if letter.last is not None
        else f"; cxbus dead show {letter.number} --whole reads the whole record at its origin"
    )
    return listed(parts) + more


def _uncut(bus: Bus, letter: DeadLetter, cut: Cut) -> DeadLetter:
    """The dead letter with the full record, read from its origin. Raises ``Problem`` when it is no longer there."""
    if letter.last is not None:
        raise Problem("Its records can't be decompressed; the dead letter has all that can be shown.", Code.WRONG)
    with Feed(bus.bootstrap(), [letter.topic]) as feed:
        found = feed.at(letter.partition, letter.offset)
    if found is None:
        raise Problem(
            f"{letter.origin} no longer exists: Kafka keeps departments' events for 21 days. What the dead letter "
            f"has of it: cxbus dead show {letter.number}",
            Code.WRONG,
        )
    if not cut.of(found.value):
        raise Problem(f"{letter.origin} is another record now: the topic was deleted and created again.", Code.WRONG)
    return replace(letter, key=found.key, value=found.value, headers=found.headers, cut=None)


def _headers(letter: DeadLetter) -> Mapping[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in letter.headers}


def _value(letter: DeadLetter) -> Any:

    return plain(letter.value)


def _plain(letter: DeadLetter) -> dict[str, Any]:

    return {
        "number": letter.number,
        "since": rfc3339(letter.at),
        "reason": letter.reason,
        "message": letter.message,
        "stage": letter.stage,
        "origin": letter.origin,
        "retryOf": letter.retry_of,
        "retriedAs": letter.again,
        "copies": letter.copies,
        "last": letter.last,
        "cut": None if letter.cut is None else asdict(letter.cut),
    }
