"""``cxbus dead``: what could not be used, why, and trying it again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from core.timeline.entry import rfc3339
from schemas.codec import MAX_BYTES
from schemas.dead_letter import RETRY_OF
from schemas.refusal import Reason as Known
from schemas.topics import DEAD

from .bus import Bus, bus_of
from .feed import Feed
from .letters import Cut, Letter, chosen, letters, unsendable
from .lines import plain
from .output import document, facts, note, say, shown, table
from .problem import Code, Problem
from .words import count, listed, moment

app = typer.Typer(no_args_is_help=True, help="Dead letters: what could not be used, and why.")

SHOWN = 50
INTAKE = 10.0
"""Seconds that the workers get to come to what was sent again."""
Which = Annotated[str, typer.Argument(metavar="N", help="A number of `cxbus dead list`, or an origin.")]
Reason = Annotated[str | None, typer.Option(help="Only those of this reason, like invalid-data.")]


@app.command("list")
def list_(
    context: typer.Context,
    reason: Reason = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the newest.")] = SHOWN,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """The newest dead letters. One that was retried and failed again shows as the newer letter only.

    They are kept for 21 days, those that a retry mended, too.

    Example: cxbus dead list --reason invalid-data
    """

    if reason is not None and reason not in [known.value for known in Known]:
        known_ones = ", ".join(known.value for known in Known)
        raise Problem(f"--reason {shown(reason)} is none; there are {known_ones}.", Code.USAGE)
    found = [one for one in _letters(bus_of(context)) if one.again is None and reason in (None, one.reason)]
    newest = found[-lines:]
    if json:
        document([_plain(one) for one in newest])
        return
    if not found:
        say("No dead letters.")
        return
    _table(newest)
    by_reason = Counter(one.reason for one in found)
    note(
        f"{count(len(found), 'letter')}: {listed([f'{n} {name}' for name, n in by_reason.most_common()])}. "
        "cxbus dead show N shows one, cxbus dead retry N sends it again."
    )


@app.command()
def show(
    context: typer.Context,
    which: Which,
    whole: Annotated[bool, typer.Option("--whole", help="Of one that was cut: all of it, from its origin.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """One dead letter with all that came. Of more than 1 MiB it keeps the beginning.

    Example: cxbus dead show 12, or: cxbus dead show cx.sales.events.v1/0/7
    """
    bus = bus_of(context)
    letter = _one(_letters(bus), which)
    if whole and letter.cut is not None:
        letter = _uncut(bus, letter, letter.cut)
    if json:
        document(_plain(letter) | {"value": _value(letter), "headers": _headers(letter)})
        return
    facts(
        [
            (
                "letter",
                f"{letter.number}, since {moment(letter.at)}" + (f", {letter.copies} copies" * (letter.copies > 1)),
            ),
            ("origin", f"{letter.origin} (found by {letter.stage or '?'})"),
            ("up to", None if letter.last is None else f"offset {letter.last}: none of these records can be read"),
            ("cut", None if letter.cut is None else _kept(letter, letter.cut)),
            ("reason", letter.reason),
            ("message", letter.message),
            ("retry of", letter.retry_of),
            ("retried", None if letter.again is None else f"and dead again as {letter.again}"),
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


@app.command()
def retry(
    context: typer.Context,
    which: Annotated[str | None, typer.Argument(metavar="[N]", help="A number of `dead list`, or an origin.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that `cxbus dead list` shows.")] = False,
    reason: Reason = None,
) -> None:
    """Publish a letter once more as it came: after a rule, a contract or the bus itself was mended.

    It keeps its key and headers and gets the header __cxbus.retry-of. What is on a timeline already counts once. What
    is larger than an event may be is not sent. What fails again is a new letter: it is shown, with exit code 1. An
    event that was wrong in itself will; its department publishes it anew instead.

    Example: cxbus dead retry 12, or: cxbus dead retry --all --reason decision-error
    """

    from .publication import publish  # its Kafka client, which the others here do not need

    if all_ == (which is not None):
        raise Problem("Say which letter, or --all: cxbus dead retry 12", Code.USAGE)
    if reason is not None and not all_:
        raise Problem("--reason goes with --all.", Code.USAGE)
    bus = bus_of(context)
    found = _letters(bus)
    wanted = [one for one in found if one.again is None and reason in (None, one.reason)] if which is None else []
    if which is not None:
        wanted = [_one(found, which)]
        if wanted[0].again is not None:
            raise Problem(f"It was retried, and is dead again as letter {wanted[0].again}.", Code.USAGE)
    judged = [(one, unsendable(one, MAX_BYTES)) for one in wanted]
    sendable = [one for one, why in judged if why is None]
    for why, number in Counter(why for _, why in judged if why is not None).items():
        note(f"{count(number, 'letter')} can't be sent: {why}.")
    if not sendable:
        raise Problem("There is no such letter to send again.", Code.WRONG)
    acknowledged = publish(
        bus.bootstrap(),
        [(one.topic, one.value, one.key, (*one.headers, (RETRY_OF, one.place.encode()))) for one in sendable],
    )
    by_topic = Counter(one.topic for one in sendable)
    say(f"{count(len(sendable), 'letter')} sent again: {listed([f'{n} to {name}' for name, n in by_topic.items()])}.")
    if not _taken(bus, acknowledged):
        raise Problem(
            f"The workers have not come to all of it within {INTAKE:.0f} s (see `cxbus status`). What fails again will "
            "be in `cxbus dead list` as a new letter.",
            Code.AWAY,
        )
    places = {one.place for one in sendable}
    again = [one for one in _letters(bus) if one.retry_of in places]
    say(f"{len(sendable) - len(again)} taken in, {len(again)} dead again{':' if again else '.'}")
    if again:
        _table(again[:SHOWN])
        raise typer.Exit(Code.WRONG)


def _taken(bus: Bus, acknowledged: Sequence[Any]) -> bool:
    """Wait until intake has come past these records; whether it did."""

    group = bus.settings.app_id
    wanted: dict[Any, int] = {}
    for record in acknowledged:
        at = TopicPartition(record.topic, record.partition)
        wanted[at] = max(wanted.get(at, 0), record.offset)
    until = time.monotonic() + INTAKE
    with KafkaAdminClient(bootstrap_servers=bus.bootstrap(), bootstrap_timeout_ms=10_000) as admin:
        while True:
            reached = admin.list_group_offsets({group: list(wanted)})[group]
            if all(at in reached and reached[at].offset > offset for at, offset in wanted.items()):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.2)


def _table(found: Sequence[Letter]) -> None:
    table(
        ("n", "since", "reason", "origin", "message"),
        [(one.number, moment(one.at), one.reason, one.origin, one.message) for one in found],
        right=("n",),
    )


def _letters(bus: Bus) -> list[Letter]:

    with Feed(bus.bootstrap(), [DEAD]) as feed:
        return letters(feed.all())


def _one(found: Sequence[Letter], which: str) -> Letter:

    letter = chosen(found, which)
    if letter is None:
        raise Problem(f"There is no dead letter {shown(which)}; see `cxbus dead list`.", Code.WRONG)
    return letter


def _kept(letter: Letter, cut: Cut) -> str:
    """How much of what came the letter has."""
    parts = [f"{len(letter.value or b'')} of {cut.value_bytes} bytes of the value"]
    if cut.key_bytes:
        parts.append(f"{len(letter.key or b'')} of {cut.key_bytes} bytes of the key")
    if cut.headers:
        parts.append(f"{len(letter.headers)} of {count(cut.headers, 'header')}, each cut to 1024 bytes")
    more = "" if letter.last is not None else f"; cxbus dead show {letter.number} --whole reads all of it at its origin"
    return listed(parts) + more


def _uncut(bus: Bus, letter: Letter, cut: Cut) -> Letter:
    """The letter as it would be if nothing were cut. Raises ``Problem`` when what was published is not there."""

    if letter.last is not None:
        raise Problem("It is about records that nobody can unpack; the letter has all that can be shown.", Code.WRONG)
    with Feed(bus.bootstrap(), [letter.topic]) as feed:
        found = feed.at(letter.partition, letter.offset)
    if found is None:
        raise Problem(
            f"{letter.origin} is not there any more: Kafka keeps departments' events for 21 days. What the letter kept "
            f"of it: cxbus dead show {letter.number}",
            Code.WRONG,
        )
    if not cut.of(found.value):
        raise Problem(f"At {letter.origin} stands another record by now: the topic was made anew.", Code.WRONG)
    return replace(letter, key=found.key, value=found.value, headers=found.headers, cut=None)


def _headers(letter: Letter) -> Mapping[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in letter.headers}


def _value(letter: Letter) -> Any:

    return plain(letter.value)


def _plain(letter: Letter) -> dict[str, Any]:

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
