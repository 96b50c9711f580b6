"""Runs all checks, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import orjson
from kafka.errors import KafkaError, RetriableError

from agents.key_record import normalisation_of, other_normalisation
from agents.keys import key_of_ours
from agents.normalisation import VERSION
from engine.kafka.limits import SESSION_SECONDS, Limits
from engine.kafka.mark import Newer, is_ours
from runtime.settings import Settings, SettingsError
from schemas.refusal import Reason
from schemas.topics import DEAD, IDENTITIES, JOURNAL, KEY_RECORD, LINKS, NOTIFIED, PROFILES, PROGRESS, TIMELINE, Topic

from ..bus import Bus
from ..dead_letters import letters
from ..feed import Feed
from ..problem import Code, Problem
from . import brokers, closings, cluster, foreign, identity, local, machine, topics, transactions
from .finding import Finding, warning, wrong
from .remedy import Commands, away

AGAIN = 5.0
"""Seconds between two looks at transactions that may hang; the bus's own transactions take milliseconds."""

NEWEST = 500
"""How many of the newest records of the bus's own topics are searched for one of a newer version of the bus."""


class Away(Exception):
    """Kafka does not answer; ``finding`` says so."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.found)
        self.finding = finding


def of_the_machine(bus: Bus) -> Iterator[Finding]:
    """The checks that need no Kafka. Raises ``Problem`` when the settings can't be read."""

    yield from machine.settings(local.sources(bus), list(Settings.model_fields), local.refused(bus))
    yield machine.folder(local.folder(bus.settings.data_dir))
    yield machine.rules(local.rules(bus))
    unmatched = closings.counted(local.metrics(bus.settings.data_dir))
    if unmatched is not None:  # None: no worker runs here
        yield from closings.judge(unmatched)


def of_the_cluster(bus: Bus) -> Iterator[Finding]:
    """The checks of the cluster. Raises ``Away``."""

    embedded = bus.settings.embedded
    try:
        bootstrap = bus.bootstrap()
        with cluster.asked(bootstrap) as asked:
            yield from _asked(bus, asked, Commands(bootstrap, scripts=not embedded))
    except Problem as problem:
        if problem.code is not Code.AWAY:
            raise
        raise Away(away(str(problem), embedded=embedded)) from problem
    except RetriableError as error:
        words = f"{bus.address()} does not answer like a Kafka broker ({error})"
        raise Away(away(words, embedded=embedded)) from error
    except KafkaError as error:
        yield wrong(
            "Kafka",
            f"refuses a request: {error}",
            "Allow this user DESCRIBE and DESCRIBE_CONFIGS on the cluster and all topics.",
        )


def _asked(bus: Bus, asked: cluster.ClusterView, commands: Commands) -> Iterator[Finding]:

    members = asked.brokers()
    try:
        names = [topic.name for topic in bus.catalogue(1)]
    except SettingsError:
        names = []  # the settings check reports it
    seen = asked.topics([*names, *topics.INTERNAL])
    here = {member.node for member in members}
    nodes = sorted(here | {node for one in seen.values() for part in one.partitions.values() for node in part.replicas})
    # Unreachable brokers count, too: their absence does not make fewer replicas right.
    wanted = bus.catalogue(bus.settings.replication or min(3, len(nodes))) if names else ()
    ours = {name: seen[name] for name in names if name in seen}
    absent = [node for node in nodes if node not in here]
    yield from brokers.judge(members, absent, asked.features(), cluster.spoken(), _needs(wanted), commands)
    yield from topics.judge(wanted, seen, nodes, commands)
    first = asked.transactions(seen)
    second = first
    if transactions.suspects(first):
        time.sleep(AGAIN)
        second = asked.transactions(seen)
    yield from transactions.judge(first, second, commands)
    yield from _identity(bus, asked, ours)
    yield from _foreign(bus, ours)
    yield machine.clock(int(time.time() * 1000), asked.newest(ours))


def _needs(wanted: Sequence[Topic]) -> brokers.Needs:

    kept = [int(topic.config["retention.ms"]) for topic in wanted if "retention.ms" in topic.config]
    return brokers.Needs(
        transaction=int(Limits().transaction * 1000),
        session=int(SESSION_SECONDS * 1000),
        refence=int(Limits().refence * 1000),
        kept=max(kept, default=0),
        record=max((topic.max_bytes for topic in wanted), default=0),
    )


def _foreign(bus: Bus, ours: dict[str, topics.TopicView]) -> Iterator[Finding]:

    state = (IDENTITIES, JOURNAL, LINKS, NOTIFIED, PROFILES, PROGRESS, TIMELINE)
    there = {DEAD, *state} <= ours.keys()
    if not there or any(one.leader is None for topic in ours.values() for one in topic.partitions.values()):
        return  # the topics check reports it
    newer = []
    try:
        with Feed(bus.bootstrap(), [DEAD]) as feed:
            told = [
                foreign.ForeignRecord(one.origin, key_of_ours(one.topic, one.key))
                for one in letters(feed.all())
                if one.reason == Reason.FOREIGN_RECORD
            ]
        with Feed(bus.bootstrap(), state) as feed:
            for record in [*feed.newest(NEWEST), *feed.next_of(bus.settings.app_id, (JOURNAL, LINKS))]:
                try:
                    is_ours(record)
                except Newer as error:
                    newer.append(str(error))
    except Problem:
        yield warning(foreign.CHECK, "the bus's own topics could not be read in time", "See `open transactions`.")
        return
    yield from foreign.judge(told, list(dict.fromkeys(newer)))


def _identity(bus: Bus, asked: cluster.ClusterView, ours: dict[str, topics.TopicView]) -> Iterator[Finding]:

    if IDENTITIES not in ours or any(one.leader is None for one in ours[IDENTITIES].partitions.values()):
        return  # the topics check reports it
    try:
        mine = local.fingerprint(bus)
    except SettingsError:
        mine = None
    record, whole = asked.fingerprint(IDENTITIES, KEY_RECORD)
    theirs = orjson.loads(record)["fingerprint"] if record is not None else None
    yield identity.judge(identity.Fingerprints(mine, theirs, whole), embedded=bus.settings.embedded)
    if record is not None and (made := normalisation_of(record)) != VERSION:
        yield wrong("identifiers", *other_normalisation(made))
