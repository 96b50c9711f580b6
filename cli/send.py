"""``cxbus send``: publishes events from a file as their departments would."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from .bus import bus_of
from .output import say
from .problem import Code, Problem
from .words import count, listed

if TYPE_CHECKING:
    from schemas.codec import Codec
    from schemas.registry import Registry

    from .event_file import Written

SHOWN = 20
"""Errors that are told; the rest is counted."""
DAY = 24 * 3600 * 1_000_000
ACKNOWLEDGED = 30.0
"""Seconds for all acknowledgements."""


class Outgoing(NamedTuple):
    """One event, and the department on whose topic it goes."""

    department: str
    value: bytes


def send(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines, a JSON array or one event; - for stdin.")],
    check: Annotated[bool, typer.Option(help="Check all events first, and send none if one is wrong.")] = True,
    department: Annotated[
        str | None, typer.Option(help="Send on this department's topic, whatever the type says.")
    ] = None,
) -> None:
    """Publish structured CloudEvents on the topics of their departments, and wait until Kafka has them.

    Where an event goes follows from its type. An event is known by its source and id: sent twice, it counts once.

    Example: cxbus send events.jsonl
    """
    from schemas.codec import Codec

    from . import event_file

    bus = bus_of(context)
    registry = bus.registry
    if department is not None and department not in _topics(registry):
        raise Problem(
            f"--department {department!r} has no topic; there are {listed(sorted(_topics(registry)))}.", Code.USAGE
        )
    written = event_file.read(_content(file))
    if not written:
        raise Problem(f"There is no event in {file}.", Code.WRONG)
    codec = Codec(registry) if check else None
    outgoing: list[Outgoing] = []
    errors: list[str] = []
    for one in written:
        judged = _judge(one, registry, codec, department)
        if isinstance(judged, str):
            errors.append(f"{one.place}: {judged}")
        else:
            outgoing.append(judged)
    if errors:
        more = [f"and {len(errors) - SHOWN} more"] if len(errors) > SHOWN else []
        found = "\n  ".join([*errors[:SHOWN], *more])
        raise Problem(
            f"{len(errors)} of {count(len(written), 'event')} can't be sent, so none was:\n  {found}", Code.WRONG
        )
    publish(bus.bootstrap(), [(_topics(registry)[one.department], one.value, None, STRUCTURED) for one in outgoing])
    sent = Counter(one.department for one in outgoing)
    say(f"{count(len(outgoing), 'event')} sent: {listed([f'{n} to {name}' for name, n in sorted(sent.items())])}.")


STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def publish(
    bootstrap: str, records: Iterable[tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]]
) -> list[Any]:
    """Send (topic, value, key, headers) and wait for all acknowledgements; returns what the broker said of each.

    Raises ``Problem`` when it does not say yes to all of them.
    """
    import logging

    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is raised, too
    producer: Any = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        linger_ms=5,
        max_request_size=2 * 1024 * 1024,
        max_block_ms=10_000,
        bootstrap_timeout_ms=10_000,
        allow_auto_create_topics=False,
    )
    try:
        promised = [
            producer.send(topic, value=value, key=key, headers=list(headers)) for topic, value, key, headers in records
        ]
        producer.flush(timeout=ACKNOWLEDGED)
        until = time.monotonic() + ACKNOWLEDGED
        return [one.get(timeout=max(0.1, until - time.monotonic())) for one in promised]
    except KafkaError as error:
        raise Problem(
            f"Kafka did not take everything ({error}). Look at `cxbus status`, then send it again: events that "
            "arrived count once.",
            Code.AWAY,
        ) from error
    finally:
        producer.close(timeout=1)


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}.", Code.USAGE) from error


def _topics(registry: Registry) -> dict[str, str]:
    return {source.name: source.topic for source in registry.sources if source.topic is not None}


def _judge(one: Written, registry: Registry, codec: Codec | None, department: str | None) -> Outgoing | str:
    """Where it goes, or why it does not."""
    from schemas.codec import Decoded

    home = department or _home(one.parsed, registry)
    if codec is None:
        return Outgoing(home, one.value) if home else "nobody can tell whose it is; say it with --department."
    if one.wrong:
        return f"not-json: {one.wrong}."
    decoded = codec.decode(home or "", one.value, STRUCTURED)
    if not isinstance(decoded, Decoded):
        return f"{decoded.reason.value}: {decoded.message}"
    if decoded.time > time.time() * 1_000_000 + DAY:
        return "time-in-future: its time is more than 24 hours ahead; a date in the future belongs in data."
    assert home is not None, "a good event has a department"
    return Outgoing(home, one.value)


def _home(event: Any, registry: Registry) -> str | None:
    """The department of an event's type; for an answer to the bus the one that answers."""
    if not isinstance(event, dict):
        return None
    data = event.get("data")
    name = str(event.get("type"))
    described = registry.types.get(name)
    department = described[0].name if described else name.partition(".")[0]
    if department not in _topics(registry) and isinstance(data, dict):
        department = str(data.get("department"))
    return department if department in _topics(registry) else None
