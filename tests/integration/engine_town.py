"""Where the toy application lives in a test: its topics, its worker processes, and what can be read of them."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

PARTITIONS = 4
KEYS = 2_000
STOP_SECONDS = 30
ROOT = Path(__file__).parents[2]


@dataclass
class Town:
    """Topics A, B, C of one toy application and its workers.

    ``exits``: codes of those that ended by themselves. ``session``: seconds after which a worker that is not heard of
    loses its partitions, if not those of the engine.
    """

    bootstrap: str
    directory: Path
    name: str = field(default_factory=lambda: f"toy-{uuid.uuid4().hex[:8]}")
    workers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    exits: list[int] = field(default_factory=list)
    session: float | None = None

    def topic(self, letter: str) -> list[TopicPartition]:
        """All partitions of A, B or C."""
        return [TopicPartition(f"{self.name}.{letter}", number) for number in range(PARTITIONS)]

    def start(self, worker: int) -> None:
        """Start a worker process."""
        command = [sys.executable, "-m", "tests.integration.engine_toy", "--bootstrap", self.bootstrap]
        command += ["--name", self.name, "--partitions", str(PARTITIONS)]
        command += ["--data-dir", str(self.directory / f"worker-{worker}")]
        command += [] if self.session is None else ["--session", str(self.session)]
        with (self.directory / f"worker-{worker}.log").open("ab") as log:
            self.workers[worker] = subprocess.Popen(command, cwd=ROOT, stderr=log)

    def kill(self, worker: int) -> None:
        """SIGKILL, and start again at once."""
        self.workers[worker].kill()
        self.workers[worker].wait()
        self.start(worker)

    def stop(self, worker: int) -> tuple[int, float]:
        """Exit code after SIGTERM, and the seconds it took."""
        began = time.monotonic()
        process = self.workers.pop(worker)
        process.terminate()
        return process.wait(timeout=STOP_SECONDS), time.monotonic() - began

    async def supervise(self, seconds: float) -> None:
        """For some time, start again whatever ends by itself."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for worker, process in list(self.workers.items()):
                if (code := process.poll()) is not None:
                    self.exits.append(code)
                    self.start(worker)
            await asyncio.sleep(0.2)

    def log(self) -> str:
        """The ends of the workers' logs."""
        return "\n".join(path.read_text()[-4_000:] for path in sorted(self.directory.glob("worker-*.log")))

    async def publish(self, first: int, count: int, seconds: float = 0.0) -> None:
        """Events ``first`` .. ``first + count - 1`` with random keys into A, spread evenly over ``seconds``."""
        chance = random.Random(first)
        began = time.monotonic()
        portions = max(1, int(seconds * 10))
        topic = f"{self.name}.a"
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True) as producer:
            for portion in range(portions):
                sent = []
                for event in range(first + count * portion // portions, first + count * (portion + 1) // portions):
                    key, value = b"k%d" % chance.randrange(KEYS), b"%d" % event
                    sent.append(await producer.send(topic, value, key, partition=event % PARTITIONS))
                await asyncio.gather(*sent)
                await asyncio.sleep(max(0.0, began + seconds * (portion + 1) / portions - time.monotonic()))

    async def read(
        self, letter: str, seconds: float, until: Callable[[list[ConsumerRecord]], bool] = lambda _: True
    ) -> list[ConsumerRecord]:
        """Committed records of a topic: till ``until`` holds, and from there to the end as it is at that moment."""
        records: list[ConsumerRecord] = []
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        async with consumer:
            consumer.assign(self.topic(letter))
            deadline = time.monotonic() + seconds
            ends: dict[TopicPartition, int] = {}
            while not ends or any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for some in (await consumer.getmany(timeout_ms=300)).values():
                    records += some
                if not ends and until(records):
                    ends = await consumer.end_offsets(self.topic(letter))
                assert time.monotonic() < deadline, f"{len(records)} records after {seconds} s\n{self.log()}"
        return records

    async def counted(self, events: int, seconds: float) -> None:
        """Wait until that many different events have reached C."""
        ids: set[str] = set()
        looked = 0

        def enough(records: list[ConsumerRecord]) -> bool:
            nonlocal looked
            ids.update(json.loads(record.value)["id"] for record in records[looked:])
            looked = len(records)
            return len(ids) >= events

        await self.read("c", seconds, enough)


@asynccontextmanager
async def town(bootstrap: str, directory: Path) -> AsyncIterator[Town]:
    """A town with empty topics; at the end its workers and topics are gone."""
    place = Town(bootstrap, directory)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        stamped = {"message.timestamp.type": "LogAppendTime"}
        compacted = {**stamped, "cleanup.policy": "compact"}
        await admin.create_topics(
            [
                NewTopic(f"{place.name}.{letter}", PARTITIONS, 1, topic_configs=configs)
                for letter, configs in (("a", stamped), ("b", stamped), ("c", compacted), ("p", compacted))
            ]
        )
        yield place
    finally:
        for process in place.workers.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        await admin.delete_topics([f"{place.name}.{letter}" for letter in "abc"])
        await admin.close()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with C. ``lost``, ``doubled``: events; ``missed``, ``repeated``: records of B; else keys."""

    lost: int = 0
    doubled: int = 0
    missed: int = 0
    repeated: int = 0
    miscounted: int = 0


def judge(events: int, journal: list[ConsumerRecord], outputs: list[ConsumerRecord]) -> Verdict:
    """Each event is counted once, per key 1..n in the order of the log; each record of B is processed once."""
    ids: Counter[str] = Counter()
    counts: defaultdict[str, list[int]] = defaultdict(list)
    processed: Counter[tuple[int, int]] = Counter()
    for record in outputs:
        event = json.loads(record.value)
        processed[record.partition, event["offset"]] += 1
        if not event["copy"]:
            ids[event["id"]] += 1
            counts[event["key"]].append(event["n"])
    wanted = {(record.partition, record.offset) for record in journal}
    return Verdict(
        lost=sum(str(event) not in ids for event in range(events)),
        doubled=sum(count - 1 for count in ids.values()),
        missed=len(wanted - processed.keys()),
        repeated=sum(count - 1 for count in processed.values()) + len(processed.keys() - wanted),
        miscounted=sum(numbers != list(range(1, len(numbers) + 1)) for numbers in counts.values()),
    )
