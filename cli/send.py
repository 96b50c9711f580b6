"""``cxbus send``: publishes events from a file on the topics of their departments."""

from __future__ import annotations

import struct
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import typer

from agents.dropped import Dropped, named_by_place, refusal
from agents.normalisation import Normalisation  # takes a tenth of a second
from schemas.codec import Codec, Decoded

from .bus import bus_of
from .event_file import FileEvent, read
from .event_stream import opened, plain
from .output import note, say
from .problem import Code, Problem
from .progress import ProgressLine
from .publication import publish
from .words import count, listed

if TYPE_CHECKING:
    from agents.normalisation import Normalisation
    from runtime.settings import Settings
    from schemas.registry import Registry

SHOWN = 20
"""Errors that are printed; the rest is counted."""
DAY = 24 * 3600 * 1_000_000


class EventToSend(NamedTuple):
    """One event, the department whose topic it goes to, and those of its identifiers that the bus will drop."""

    department: str
    value: bytes
    dropped: Sequence[Dropped] = ()


class Spool:
    """Holds checked events in a temporary file until all are checked. A context manager."""

    _HEAD = struct.Struct("<HI")

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- __exit__ closes it
        self._departments: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # closing flushes, and there may be no space
            self._file.close()

    def add(self, one: EventToSend) -> None:
        """Append an event. Raises ``Problem`` when there is no space."""
        if one.department not in self._departments:
            self._departments.append(one.department)
        with _room():
            self._file.write(self._HEAD.pack(self._departments.index(one.department), len(one.value)) + one.value)

    def complete(self) -> None:
        """Flush, after the last event. Raises ``Problem`` when there is no space."""
        with _room():
            self._file.flush()

    def __iter__(self) -> Iterator[EventToSend]:
        self._file.seek(0)
        while head := self._file.read(self._HEAD.size):
            department, size = self._HEAD.unpack(head)
            yield EventToSend(self._departments[department], self._file.read(size))


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = tempfile.gettempdir()
        raise Problem(
            f"{where} can't take the checked events ({error.strerror}); name a folder with more room in TMPDIR.",
            Code.USAGE,
        ) from error


def send(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON lines, a JSON array or one event, gzipped or not; - for stdin.")
    ],
    check: Annotated[bool, typer.Option(help="Check all events first, and send none if one is wrong.")] = True,
    department: Annotated[
        str | None, typer.Option(help="Send on this department's topic, whatever the type says.")
    ] = None,
) -> None:
    """Publish structured CloudEvents on the topics of their departments, and wait until Kafka acknowledges them.

    The type of an event decides its topic. Source and id identify it: sent twice, it counts once.

    Example: cxbus send events.jsonl
    """
    bus = bus_of(context)
    topics = _topics(bus.registry)
    if department is not None and department not in topics:
        raise Problem(
            f"--department {department!r} has no topic; the departments are {listed(sorted(topics))}.", Code.USAGE
        )
    with opened(file) as source, Spool() as spool:
        judge = Judge(bus.registry, department, _normalisation(bus.settings) if check else None)
        sent = _spooled(read(plain(source, file)), judge, spool, file)
        records = ((topics[one.department], one.value, None, STRUCTURED) for one in spool)
        line = ProgressLine(f"{{}} of {sent.total():,} events sent")
        publish(bus.bootstrap(), records, [topics[name] for name in sent], line)
    say(f"{count(sent.total(), 'event')} sent: {listed([f'{n} to {name}' for name, n in sorted(sent.items())])}.")


def _normalisation(settings: Settings) -> Normalisation:
    """The bus's normalisation of identifiers, if this machine has the same settings as the bus."""

    return Normalisation(settings.phone_region, settings.blocked_identifiers, settings.identifier_types)


def _spooled(events: Iterable[FileEvent], judge: Judge, spool: Spool, file: str) -> Counter[str]:
    """Put all events into the spool; returns department → count. Raises ``Problem`` when an event is wrong."""
    departments: Counter[str] = Counter()
    errors: list[str] = []
    dropping = Dropping()
    wrong = total = 0
    line = ProgressLine("{} events checked")
    for total, one in enumerate(events, 1):
        judged = judge(one)
        if isinstance(judged, str):
            wrong += 1
            if wrong <= SHOWN:
                errors.append(f"{one.place}: {judged}")
        elif not wrong:
            dropping.add(one.place, judged.dropped)
            departments[judged.department] += 1
            spool.add(judged)
        line(total)
    spool.complete()
    if not total:
        raise Problem(f"There is no event in {file}.", Code.WRONG)
    if wrong:
        more = [f"and {wrong - SHOWN} more"] if wrong > SHOWN else []
        found = "\n  ".join([*errors, *more])
        raise Problem(f"{wrong} of {count(total, 'event')} can't be sent, so none was:\n  {found}", Code.WRONG)
    dropping.tell()
    return departments


class Dropping:
    """Collects the events that will lose some identifiers. They are sent all the same, and reported."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._events = 0

    def add(self, place: str, dropped: Sequence[Dropped]) -> None:
        """Add the dropped identifiers of one event, if any."""
        if not dropped:
            return
        self._events += 1
        if self._events <= SHOWN:
            self._lines.append(f"{place}: {named_by_place(dropped)}")

    def tell(self) -> None:
        """Print the report on stderr, before anything is sent."""
        if self._events > SHOWN:
            self._lines.append(f"and {self._events - SHOWN} more")
        if self._lines:
            of = count(self._events, "event")
            note("\n  ".join([f"Some of data.customer.identifiers identify nobody, in {of}:", *self._lines]))


STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def _topics(registry: Registry) -> dict[str, str]:
    return {source.name: source.topic for source in registry.sources if source.topic is not None}


class Judge:
    """Decides for each event to which topic it goes, or why it can't be sent.

    ``department`` overrides the type. Without ``normalisation`` the content of an event is not checked.
    """

    def __init__(self, registry: Registry, department: str | None, normalisation: Normalisation | None) -> None:
        self._types = registry.types
        self._departments = frozenset(_topics(registry))
        self._department = department
        self._codec = Codec(registry)
        self._normalisation = normalisation

    def __call__(self, one: FileEvent) -> EventToSend | str:
        """The event to send, or an error that begins with the reason for which it would become a dead letter."""
        if one.wrong and (self._normalisation is not None or not one.value):
            return one.wrong
        home = self._department or self.home(one.parsed)
        if self._normalisation is None:
            return EventToSend(home, one.value) if home else "its department is unknown; name it with --department."
        decoded = self._codec.decode(home or "", one.value, STRUCTURED)
        if not isinstance(decoded, Decoded):
            return f"{decoded.reason.value}: {decoded.message}"
        if decoded.time > time.time() * 1_000_000 + DAY:
            return "time-in-future: its time is more than 24 hours ahead; a date in the future belongs in data."
        kept, dropped = self._normalisation.judge(decoded.identifiers)
        if (refused := refusal(kept, dropped)) is not None:
            return f"{refused.reason.value}: {refused.message}"
        assert home is not None, "a good event has a department"
        return EventToSend(home, one.value, dropped)

    def home(self, event: Any) -> str | None:
        """The department of an event's type; for an answer to an alert, the department that answers."""
        if not isinstance(event, dict):
            return None
        data = event.get("data")
        name = str(event.get("type"))
        described = self._types.get(name)
        department = described[0].name if described else name.partition(".")[0]
        if department not in self._departments and isinstance(data, dict):
            department = str(data.get("department"))
        return department if department in self._departments else None
