"""Transactions that stay open: everything behind them is hidden from ``read_committed`` readers, so the bus stands.

Partition leaders know where transactions are open, the transaction coordinators which ones they will end (KIP-664).
One that no coordinator knows of is never ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from .brokers import SECOND, span
from .finding import Finding, ok, warning, wrong
from .remedy import Commands

LONG = 15 * SECOND
"""Milliseconds: the bus's own are over after 10 s at the latest, and looked after every second."""
SLACK = 30 * SECOND
"""Milliseconds: the coordinator looks for overdue ones every 10 s by default; the rest is for clocks that differ."""
CHECK = "open transactions"


@dataclass(frozen=True, slots=True)
class Open:
    """What a partition's leader tells: a producer's transaction is open since offset ``start``."""

    topic: str
    partition: int
    producer: int
    epoch: int
    start: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a coordinator tells: it will end this transaction in ``partitions``.

    ``started`` in ms since 1970 by its clock, ``timeout`` in ms.
    """

    name: str
    producer: int
    started: int
    timeout: int
    partitions: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Look:
    """Both at about the same time, ``now`` in ms since 1970."""

    now: int
    open: frozenset[Open]
    known: tuple[Known, ...]

    def keeper(self, one: Open) -> Known | None:
        """Whose transaction that is; None if no coordinator will end it."""
        at = (one.topic, one.partition)
        return next((who for who in self.known if who.producer == one.producer and at in who.partitions), None)


def suspects(look: Look) -> frozenset[Open]:
    """Those that are worth a second look: one that is just ending may look like any of these."""
    return frozenset(one for one in look.open if _suspect(one, look))


def _suspect(one: Open, look: Look) -> bool:
    keeper = look.keeper(one)
    return keeper is None or look.now - keeper.started > LONG


def judge(first: Look, second: Look, commands: Commands) -> list[Finding]:
    """``second`` is some seconds later; only what both show is told."""
    lasting = sorted(
        suspects(first) & suspects(second), key=lambda one: (one.topic, one.partition, one.start, one.producer)
    )
    if not lasting:
        return [ok(CHECK, f"none that stays; {len(second.open)} under way")]
    return [_finding(one, second, commands) for one in lasting]


def _finding(one: Open, look: Look, commands: Commands) -> Finding:
    where = f"{one.topic}, partition {one.partition}, from offset {one.start}"
    abort = commands.abort(one.topic, one.partition, start=one.start, producer=one.producer, epoch=one.epoch)
    keeper = look.keeper(one)
    if keeper is None:
        return wrong(CHECK, f"{where}: hangs. No coordinator knows it, so it never ends, and readers stand", abort)
    age = look.now - keeper.started
    whose = f"of {keeper.name}, open for {span(age // SECOND * SECOND)}"
    if age > keeper.timeout + SLACK:
        return wrong(
            CHECK,
            f"{where}: {whose}, though its time-out is {span(keeper.timeout)}; readers stand",
            "See whether every partition of __transaction_state has a leader. If all have:",
            abort,
        )
    return warning(
        CHECK,
        f"{where}: {whose}; readers stand until it ends, at the latest after {span(keeper.timeout)}",
        f"See what {keeper.name} does; publishers should commit within a second and ask for a short time-out.",
    )
