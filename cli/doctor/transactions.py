"""Checks for transactions that stay open: ``read_committed`` consumers do not get past them, so the bus stops.

Partition leaders know where transactions are open, transaction coordinators know which ones they will end (KIP-664).
A transaction that no coordinator knows is hanging: it never ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from .brokers import SECOND, span
from .finding import Finding, ok, warning, wrong
from .remedy import Commands

LONG = 15 * SECOND
"""Milliseconds. The bus's own transactions end after 10 s at the latest, and overdue ones are aborted every second."""
SLACK = 30 * SECOND
"""Milliseconds. By default the coordinator aborts overdue transactions every 10 s; the rest is for clock skew."""
CHECK = "open transactions"


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A partition leader's view: a producer's transaction is open since offset ``start``."""

    topic: str
    partition: int
    producer: int
    epoch: int
    start: int


@dataclass(frozen=True, slots=True)
class CoordinatorState:
    """A coordinator's view: it will end this transaction in ``partitions``.

    ``started`` in ms since 1970 by its clock, ``timeout`` in ms.
    """

    name: str
    producer: int
    started: int
    timeout: int
    partitions: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Look:
    """Both views at about the same time, ``now`` in ms since 1970."""

    now: int
    open: frozenset[OpenTransaction]
    known: tuple[CoordinatorState, ...]

    def keeper(self, one: OpenTransaction) -> CoordinatorState | None:
        """The transaction as its coordinator knows it; None if no coordinator will end it."""
        at = (one.topic, one.partition)
        return next((who for who in self.known if who.producer == one.producer and at in who.partitions), None)


def suspects(look: Look) -> frozenset[OpenTransaction]:
    """Transactions to look at again: they may hang, but one that is just ending looks the same."""
    return frozenset(one for one in look.open if _suspect(one, look))


def _suspect(one: OpenTransaction, look: Look) -> bool:
    keeper = look.keeper(one)
    return keeper is None or look.now - keeper.started > LONG


def judge(first: Look, second: Look, commands: Commands) -> list[Finding]:
    """``second`` is some seconds later than ``first``; only transactions in both are reported."""
    lasting = sorted(
        suspects(first) & suspects(second), key=lambda one: (one.topic, one.partition, one.start, one.producer)
    )
    if not lasting:
        return [ok(CHECK, f"none that hangs or is overdue; {len(second.open)} in progress")]
    return [_finding(one, second, commands) for one in lasting]


def _finding(one: OpenTransaction, look: Look, commands: Commands) -> Finding:
    where = f"{one.topic}, partition {one.partition}, from offset {one.start}"
    abort = commands.abort(one.topic, one.partition, start=one.start, producer=one.producer, epoch=one.epoch)
    keeper = look.keeper(one)
    if keeper is None:
        return wrong(
            CHECK, f"{where}: hangs. No coordinator knows it, so it never ends and blocks consumers for ever", abort
        )
    age = look.now - keeper.started
    whose = f"of {keeper.name}, open for {span(age // SECOND * SECOND)}"
    if age > keeper.timeout + SLACK:
        return wrong(
            CHECK,
            f"{where}: {whose}, though its time-out is {span(keeper.timeout)}; it blocks consumers",
            "Check whether every partition of __transaction_state has a leader. If all have one:",
            abort,
        )
    return warning(
        CHECK,
        f"{where}: {whose}; it blocks consumers until it ends, at the latest after {span(keeper.timeout)}",
        f"Find out what {keeper.name} is doing; publishers should commit within a second, with a short time-out.",
    )
