"""Checks whether the brokers can run the bus: their number, protocol versions and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..words import count, listed
from .finding import Finding, Verdict, ok, warning, wrong
from .remedy import Commands

SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
"""In milliseconds."""

VERIFICATION = "transaction.partition.verification.enable"
NEEDED: Mapping[str, int] = {
    "Produce": 3,  # transactions, and headers
    "Fetch": 4,  # read_committed
    "ListOffsets": 2,  # read_committed consumers
    "JoinGroup": 5,  # static members
    "OffsetCommit": 2,
    "OffsetFetch": 1,
    "InitProducerId": 0,
    "AddPartitionsToTxn": 0,
    "AddOffsetsToTxn": 0,
    "TxnOffsetCommit": 0,
    "EndTxn": 0,
    "DescribeConfigs": 1,
    "DescribeProducers": 0,  # for this command only: open transactions
    "ListTransactions": 0,
    "DescribeTransactions": 0,
}
"""Requests of the Kafka protocol that the bus sends → the first version that has what it needs."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A broker's setting. ``fixed``: only a restart changes it. ``own``: set at run time for this broker alone."""

    value: str | None
    fixed: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker as it describes itself. ``speaks``: request → its lowest and highest version."""

    node: int
    version: str
    speaks: Mapping[str, tuple[int, int]]
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Needs:
    """What the bus needs from the brokers' settings; times in milliseconds.

    transaction: time-out of the engine's transactions. session: session time-out of its group members. refence: how
    long a producer may be idle. kept: retention of department topics. record: largest batch of any topic, in bytes.
    """

    transaction: int
    session: int
    refence: int
    kept: int
    record: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """``good`` says whether a value is acceptable, ``wanted`` is one that is, ``why`` says what happens otherwise."""

    setting: str
    good: Callable[[str], bool]
    wanted: str
    otherwise: Verdict
    why: str


def expectations(needs: Needs) -> tuple[Expectation, ...]:
    """The expectations of the settings. Of several for one setting, the first that fails is reported."""
    return (
        Expectation(
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            lambda value: int(value) <= 2 * SECOND,
            "1000",
            Verdict.WARNING,
            "consumers wait for the open transaction of a killed worker by up to this much longer",
        ),
        Expectation(
            "transaction.max.timeout.ms",
            lambda value: int(value) >= needs.transaction,
            str(MINUTE),
            Verdict.WRONG,
            f"workers request {needs.transaction // SECOND} s, and could not start",
        ),
        Expectation(
            "transaction.max.timeout.ms",
            lambda value: int(value) <= MINUTE,
            str(MINUTE),
            Verdict.WARNING,
            "an abandoned transaction of any publisher may block the bus for this long",
        ),
        Expectation(
            "group.min.session.timeout.ms",
            lambda value: int(value) <= needs.session,
            "6000",
            Verdict.WRONG,
            f"workers request sessions of {needs.session // SECOND} s, which the brokers would refuse",
        ),
        Expectation(
            "group.max.session.timeout.ms",
            lambda value: int(value) >= needs.session,
            "1800000",
            Verdict.WRONG,
            f"workers request sessions of {needs.session // SECOND} s, which the brokers would refuse",
        ),
        Expectation(
            "auto.create.topics.enable",
            lambda value: value == "false",
            "false",
            Verdict.WARNING,
            "a publisher that starts before `cxbus topics apply` creates a topic with a wrong number of partitions",
        ),
        Expectation(
            "offsets.retention.minutes",
            lambda value: int(value) * MINUTE >= needs.kept,
            str(60 * 24 * 60),
            Verdict.WARNING,
            f"a bus that is stopped for longer loses its committed offsets, and reads again all that the topics keep "
            f"({needs.kept // DAY} days)",
        ),
        Expectation(
            "transactional.id.expiration.ms",
            lambda value: int(value) >= needs.refence,
            str(7 * DAY),
            Verdict.WRONG,
            f"Kafka expires the producer of an idle worker before the worker renews it ({needs.refence // SECOND} s), "
            "and the worker's next write fails",
        ),
    )


def judge(
    brokers: Sequence[Broker],
    absent: Sequence[int],
    features: Mapping[str, int],
    spoken: Mapping[str, tuple[int, int]],
    needs: Needs,
    commands: Commands,
) -> list[Finding]:
    """``absent``: unreachable brokers that have partitions. ``features``: finalized levels.
    ``spoken``: lowest and highest version of each request that the bus's client can send.
    """
    return [
        _number(brokers, absent, features, commands),
        _protocol(brokers, spoken),
        _verification(brokers, features, commands),
        *_settings(brokers, needs, commands),
        *_told(brokers, needs),
    ]


def _number(
    brokers: Sequence[Broker], absent: Sequence[int], features: Mapping[str, int], commands: Commands
) -> Finding:
    versions = listed(sorted({broker.version for broker in brokers}))
    levels = [f"{name} {features[name]}" for name in ("metadata.version", "transaction.version") if name in features]
    kind = f"Kafka {versions} ({', '.join(levels)})" if levels else f"Kafka {versions}"
    found = f"{count(len(brokers), 'broker')}, {kind}, at {commands.bootstrap}"
    if absent:
        return warning("Kafka", f"{found}; {_named(absent)} unreachable", f"Start {_named(absent)} again.")
    if commands.scripts and len(brokers) < 3:
        lost = "with fewer than three brokers the loss of one stops the bus, or loses data"
        return warning("Kafka", f"{found}: {lost}", "Run three brokers.")
    return ok("Kafka", found)


def _protocol(brokers: Sequence[Broker], spoken: Mapping[str, tuple[int, int]]) -> Finding:
    lacking = []
    for broker in brokers:
        for request, first in NEEDED.items():
            lowest, highest = broker.speaks.get(request, (0, -1))
            ours = spoken.get(request, (first, highest))
            if highest < first or max(lowest, first, ours[0]) > min(highest, ours[1]):
                lacking.append(f"{request} on broker {broker.node}")
    if lacking:
        return wrong(
            "protocol",
            f"the bus and the brokers have no common version of {listed(lacking)}",
            "Update the brokers to Kafka 4; if they are newer than cxbus, update cxbus.",
        )
    return ok("protocol", f"the brokers support all {len(NEEDED)} requests that the bus sends")


def _verification(brokers: Sequence[Broker], features: Mapping[str, int], commands: Commands) -> Finding:
    """Checks transaction verification. Without it a late write of a fenced producer opens a hanging transaction
    (KIP-890).

    Where the setting can be read, ``transaction.version`` 2 is no substitute: it protects only clients that use its
    protocol, and aiokafka does not.
    """
    check = "transaction verification"
    said = {broker.node: broker.settings.get(VERIFICATION) for broker in brokers}
    off = {node: setting for node, setting in said.items() if setting is not None and setting.value == "false"}
    untold = [str(node) for node, setting in said.items() if setting is None or setting.value is None]
    if off:
        return wrong(
            check,
            f"{VERIFICATION}=false on {_named(off)}: a late write may leave a hanging transaction, and "
            "consumers wait for its end for ever",
            *commands.set_broker(
                VERIFICATION,
                "true",
                fixed=any(setting.fixed for setting in off.values()),
                own=[node for node, setting in off.items() if setting.own],
                nodes=list(off),
            ),
        )
    if untold and features.get("transaction.version", 0) < 2:
        return wrong(
            check,
            f"broker {listed(untold)} can't verify transactions: a late write may leave one hanging",
            "Update the brokers to Kafka 4.",
        )
    return ok(check, f"{VERIFICATION}=true" if not untold else f"transaction.version {features['transaction.version']}")


def _settings(brokers: Sequence[Broker], needs: Needs, commands: Commands) -> Iterator[Finding]:
    """One finding for each pair of setting and value."""
    wanted: dict[str, list[Expectation]] = {}
    for expectation in expectations(needs):
        wanted.setdefault(expectation.setting, []).append(expectation)
    for name, expected in wanted.items():
        by_value = sorted((_value(broker, name) or "", broker.node, broker) for broker in brokers)
        for value, group in groupby(by_value, key=lambda one: one[0]):
            yield _setting(name, value, [broker for _, _, broker in group], expected, commands, len(brokers))


def _setting(
    name: str, value: str, on: Sequence[Broker], expected: Sequence[Expectation], commands: Commands, all_of_them: int
) -> Finding:
    if not value:
        return warning(
            name,
            f"{_named(broker.node for broker in on)} does not show its value",
            "Allow this user DESCRIBE_CONFIGS on the cluster, or look the value up in server.properties.",
        )
    found = f"{value}{_span(name, value)}" + (f" on {_named(b.node for b in on)}" if len(on) < all_of_them else "")
    failed = next((one for one in expected if not one.good(value)), None)
    if failed is None:
        return ok(name, found)
    settings = {broker.node: broker.settings[name] for broker in on}
    return Finding(
        name,
        failed.otherwise,
        f"{found}: {failed.why}",
        tuple(
            commands.set_broker(
                name,
                failed.wanted,
                fixed=any(setting.fixed for setting in settings.values()),
                own=[node for node, setting in settings.items() if setting.own],
                nodes=list(settings),
            )
        ),
    )


def _told(brokers: Sequence[Broker], needs: Needs) -> Iterator[Finding]:
    """Settings that are never wrong, but useful to know when something is slow or refused."""
    if largest := [int(value) for broker in brokers if (value := _value(broker, "message.max.bytes"))]:
        enough = (
            "enough for all topics"
            if min(largest) >= needs.record
            else "the bus's own topics have a larger limit of their own"
        )
        yield ok("message.max.bytes", f"{min(largest)}, {enough}")
    if delays := [int(value) for broker in brokers if (value := _value(broker, "group.initial.rebalance.delay.ms"))]:
        yield ok(
            "group.initial.rebalance.delay.ms", f"{max(delays)}: the start of the first worker takes this much longer"
        )


def _value(broker: Broker, name: str) -> str | None:
    setting = broker.settings.get(name)
    return setting.value if setting is not None else None


def _named(nodes: Iterable[int]) -> str:
    names = [str(node) for node in nodes]
    return f"broker {names[0]}" if len(names) == 1 else f"brokers {listed(names)}"


def _span(name: str, value: str) -> str:
    """A setting in ms or minutes as a readable duration, such as `` (7 d)``; empty for other settings."""
    unit = MINUTE if name.endswith(".minutes") else 1 if name.endswith(".ms") else 0
    return f" ({span(int(value) * unit)})" if unit else ""


def span(milliseconds: float) -> str:
    """A duration such as ``21 d`` or ``90 s``, in the largest unit of which there are at least two or exactly one."""
    for unit, sign in ((DAY, "d"), (60 * MINUTE, "h"), (MINUTE, "min"), (SECOND, "s")):
        if milliseconds >= 2 * unit or milliseconds == unit:
            return (
                f"{milliseconds / unit:.0f} {sign}" if milliseconds % unit == 0 else f"{milliseconds / unit:.1f} {sign}"
            )
    return f"{milliseconds:.0f} ms"
