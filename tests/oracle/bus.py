"""The bus in one process, for the oracle to judge: its real agents on their real stores, and a list for each partition
where Kafka would be. Who goes on when, and how far, is up to chance.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from agents.directory import Directory
from agents.identifiers import Identifiers
from agents.intake import Intake
from agents.journey import Journey
from agents.metrics import Metrics
from agents.resolver import Resolver
from core.identity.fuse import LINKS_A_DAY
from engine.transactional.transaction import Output
from schemas.codec import Codec
from tests.unit.agents.bench import MARK

from .entry import D, H
from .oracle import Oracle
from .random_rules import File, in_the_core
from .rule_files import read
from .section_four import SECTION_FOUR
from .topics import IDENTITIES, JOURNAL, LINKS, PROFILES, Topics
from .worlds import REGISTRY, RULES

KEY = b"a key for the oracle's tests"
REGION = "GB"
PARTITIONS = 2
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Where there is such a folder, a store need not wait for a disk."""
MOST = 5
"""A batch has at most so many records."""

CODEC, IDENTIFIERS, METRICS = Codec(REGISTRY), Identifiers(KEY, REGION), Metrics(CollectorRegistry())

Place = tuple[str, int]


class Bus:
    """Agents and logs. ``clock``: the brokers' (ms); those of the journal's partitions may lag behind.

    ``links_a_day``: how many others' identifiers a value may have. ``hearing``: the chance that intake's directory
    reads on when it is its turn. ``rules``: files, or the built-in ones.
    """

    def __init__(
        self, seed: int, links_a_day: int = LINKS_A_DAY, hearing: float = 1.0, rules: Sequence[File] | None = None
    ) -> None:
        self.chance = random.Random(seed)
        self.clock = 0
        self.rules = RULES if rules is None else in_the_core(rules)
        self._meaning = SECTION_FOUR if rules is None else read(rules)
        self._lag = [self.chance.choice([0, 0, 0, 1, H // 1000, 3 * D // 1000]) for _ in range(PARTITIONS)]
        self._hearing = hearing
        self.logs: defaultdict[Place, list[ConsumerRecord]] = defaultdict(list)
        self._positions: defaultdict[tuple[str, Place], int] = defaultdict(int)
        self._sending: defaultdict[tuple[str, Place], deque[Output]] = defaultdict(deque)
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self._home = home = Path(self._folder.name)
        self._openings = 0
        self._directory = Directory("", IDENTIFIERS, home / "directory")
        self._intake = Intake(CODEC, IDENTIFIERS, self._directory, PARTITIONS, "", METRICS)
        self._links_a_day = links_a_day
        self._resolver = self._new_resolver()
        self._journeys = {number: self._journey(number) for number in range(PARTITIONS)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.close()
        self._resolver.close()
        for journey in self._journeys.values():
            journey.close()
        self._folder.cleanup()

    def _journey(self, partition: int) -> Journey:
        self._openings += 1
        return Journey(
            partition, PARTITIONS, self.rules, IDENTIFIERS, self._home / f"journey-{self._openings}", METRICS
        )

    def _new_resolver(self) -> Resolver:
        self._openings += 1
        home = self._home / f"resolver-{self._openings}"
        return Resolver(0, PARTITIONS, IDENTIFIERS, home, METRICS, self._links_a_day)

    # --- the broker -------------------------------------------------------------------------------------------------

    def publish(self, department: str, value: bytes, received: int) -> None:
        """A department's record; the broker's clock is at ``received`` (µs, rounded up to ms) by then."""
        self.clock = max(self.clock, -(-received // 1000))
        topic = f"cx.{department}.events.v1"
        self._append(Output(topic, self.chance.randrange(PARTITIONS), None, value, ()))

    def answer(self) -> None:
        """A department has seen something that was said to some customer, as the topics have it."""
        known = [record.key for place, log in self.logs.items() if place[0] == PROFILES for record in log]
        if known:
            name = (self.chance.choice(known) or b"").decode()
            told = {"alertId": "a_1", "customerId": name, "department": "sales", "by": "kim", "customer": "nobody"}
            time = self.clock * 1000 + self.chance.choice([0, 0, -D, H])
            number = str(self.chance.randrange(5))
            value = Codec.encode_structured(
                type="bus.alert.acknowledged.v1", source="answers", id=number, time=time, data=told
            )
            self.publish("sales", value, 0)

    def topics(self) -> Topics:
        """All that was written."""
        return Topics(record for log in self.logs.values() for record in log)

    def oracle(self) -> Oracle:
        """What the oracle says to it."""
        return Oracle(self.topics(), KEY, REGION, self._links_a_day, self._meaning)

    def _append(self, made: Output) -> None:
        log = self.logs[made.topic, made.partition]
        lag = self._lag[made.partition] if made.topic == JOURNAL else 0
        log.append(
            ConsumerRecord(
                topic=made.topic,
                partition=made.partition,
                offset=len(log),
                timestamp=max(0, self.clock - lag),
                timestamp_type=1,
                key=made.key,
                value=made.value,
                checksum=None,
                serialized_key_size=0,
                serialized_value_size=0,
                headers=tuple(made.headers),
            )
        )

    def _send(self, sender: str, outputs: Iterable[Output]) -> None:
        """What one producer sends to one partition keeps its order; others may come in between."""
        for made in outputs:
            self._sending[sender, (made.topic, made.partition)].append(made)

    def _next(self, reader: str, place: Place) -> Sequence[ConsumerRecord]:
        """The reader's next batch, of a length that chance decides."""
        position = self._positions[reader, place]
        batch = self.logs[place][position : position + self.chance.randint(1, MOST)]
        self._positions[reader, place] += len(batch)
        return batch

    # --- the agents -------------------------------------------------------------------------------------------------

    def work(self, steps: int) -> None:
        """So many steps of whoever has something to do, in any order."""
        for _ in range(steps):
            reading = [read for read in self._readers() if self._positions[read] < len(self.logs[read[1]])]
            sending = [sent for sent, outputs in self._sending.items() if outputs]
            if not reading and not sending:
                return
            choice = self.chance.randrange(len(reading) + len(sending))
            if choice < len(reading):
                self._step(*reading[choice])
            else:
                outputs = self._sending[sending[choice - len(reading)]]
                for _ in range(self.chance.randint(1, len(outputs))):
                    self._append(outputs.popleft())

    def settle(self) -> None:
        """Until nobody has anything to do."""
        self.work(1_000_000)

    def _readers(self) -> list[tuple[str, Place]]:
        departments = [place for place in list(self.logs) if place[0].endswith(".events.v1")]
        return [
            *(("intake", place) for place in departments),
            ("resolver", (LINKS, 0)),
            ("directory", (IDENTITIES, 0)),
            *((f"journey {number}", (JOURNAL, number)) for number in range(PARTITIONS)),
        ]

    def _step(self, reader: str, place: Place) -> None:
        if reader == "directory" and self.chance.random() > self._hearing:
            return
        batch = self._next(reader, place)
        if reader == "directory":
            self._directory.learn(batch)
        elif reader == "intake":
            self._send(reader, self._intake.route(batch))
            if self.chance.random() < 0.1:  # it dies before its offsets are committed: the batch comes again
                self._positions[reader, place] -= len(batch)
        else:
            owner = self._resolver if reader == "resolver" else self._journeys[place[1]]
            self._send(reader, owner.decide(batch))
            owner.committed(MARK)

    def restart(self, partition: int) -> None:
        """The journey of a partition gets an owner who knows nothing but the public topics."""
        self._sent(f"journey {partition}")
        self._journeys[partition].close()
        journey = self._journeys[partition] = self._journey(partition)
        for source in journey.sources():
            journey.restore(self.logs[source.topic, source.partition])
        journey.opened(MARK)

    def restart_resolver(self) -> None:
        """The links log gets an owner who knows nothing but the identities."""
        self._sent("resolver")
        self._resolver.close()
        self._resolver = self._new_resolver()
        for source in self._resolver.sources():
            self._resolver.restore(self.logs[source.topic, source.partition])
        self._resolver.opened(MARK)

    def _sent(self, owner: str) -> None:
        """All that an owner of a partition has decided stands there: it was committed, or it would not be kept."""
        for (sender, _), outputs in self._sending.items():
            while sender == owner and outputs:
                self._append(outputs.popleft())
