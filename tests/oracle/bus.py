"""The bus in one process, for the oracle to judge: its real stages on their real stores, and a list for each partition
where Kafka would be. Who goes on when, and how far, is up to chance.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

from agents.identifiers import Identifiers
from agents.pipeline import Input, Pipeline, PipelineConfig, Place
from core.identity.fuse import LINKS_A_DAY
from engine.transactional.transaction import Output
from schemas.codec import Codec

from .entry import D, H
from .oracle import Oracle
from .random_rules import File, in_the_core
from .rule_files import read
from .section_four import SECTION_FOUR
from .topics import JOURNAL, PROFILES, Topics
from .worlds import REGISTRY, RULES

KEY = b"a key for the oracle's tests"
REGION = "GB"
PARTITIONS = 2
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Where there is such a folder, a store need not wait for a disk."""
MOST = 5
"""A batch has at most so many records."""

CODEC, IDENTIFIERS = Codec(REGISTRY), Identifiers(KEY, REGION)


class Bus:
    """A pipeline, and what its producers have not sent yet. ``clock``: the brokers' (ms); those of the journal's
    partitions may lag behind.

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
        self._sending: defaultdict[tuple[str, Place], deque[Output]] = defaultdict(deque)
        self._links_a_day = links_a_day
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.pipeline = Pipeline(self.config(), Path(self._folder.name))

    def config(self) -> PipelineConfig:
        """What such a bus is made of."""
        return PipelineConfig(self.rules, IDENTIFIERS, REGISTRY, CODEC, PARTITIONS, self._links_a_day)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.pipeline.close()
        self._folder.cleanup()

    # --- the broker -------------------------------------------------------------------------------------------------

    def publish(self, department: str, value: bytes, received: int) -> None:
        """A department's record; the broker's clock is at ``received`` (µs, rounded up to ms) by then."""
        self.clock = max(self.clock, -(-received // 1000))
        self.pipeline.publish(department, value, self.clock, partition=self.chance.randrange(PARTITIONS))

    def answer(self) -> None:
        """A department has seen something that was said to some customer, as the topics have it."""
        known = [record.key for partition in range(PARTITIONS) for record in self.pipeline.log(PROFILES, partition)]
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
        return Topics(record for log in self.pipeline.logs.values() for record in log)

    def oracle(self) -> Oracle:
        """What the oracle says to it."""
        return Oracle(self.topics(), KEY, REGION, self._links_a_day, self._meaning)

    def _append(self, made: Output) -> None:
        lag = self._lag[made.partition] if made.topic == JOURNAL else 0
        self.pipeline.write([made], max(0, self.clock - lag))

    def _send(self, sender: str, outputs: Iterable[Output]) -> None:
        """What one producer sends to one partition keeps its order; others may come in between."""
        for made in outputs:
            self._sending[sender, (made.topic, made.partition)].append(made)

    # --- the stages -------------------------------------------------------------------------------------------------

    def work(self, steps: int) -> None:
        """So many steps of whoever has something to do, in any order."""
        for _ in range(steps):
            reading = self.pipeline.behind()
            sending = [sent for sent, outputs in self._sending.items() if outputs]
            if not reading and not sending:
                return
            choice = self.chance.randrange(len(reading) + len(sending))
            if choice < len(reading):
                self._step(reading[choice])
            else:
                outputs = self._sending[sending[choice - len(reading)]]
                for _ in range(self.chance.randint(1, len(outputs))):
                    self._append(outputs.popleft())

    def finish(self) -> None:
        """Until nobody has anything to do."""
        self.work(1_000_000)

    def _step(self, reader: Input) -> None:
        """One unit of work, of a length that chance decides."""
        if reader.stage == "directory" and self.chance.random() > self._hearing:
            return
        most = self.chance.randint(1, MOST)
        if reader.stage == "intake":
            dies = self.chance.random() < 0.1  # before its offsets are committed: the batch comes again
            self._send("intake", self.pipeline.take(reader, most, committed=not dies))
        else:
            self._send(f"{reader.stage} {reader.partition}", self.pipeline.take(reader, most))

    def restart(self, stage: Literal["resolver", "journey"], partition: int = 0) -> None:
        """A partition gets an owner who knows nothing but the public topics.

        All that the last one has decided stands there: it was committed, or it would not be kept.
        """
        for (sender, _), outputs in self._sending.items():
            while sender == f"{stage} {partition}" and outputs:
                self._append(outputs.popleft())
        assert not self.pipeline.restart(stage, partition)
