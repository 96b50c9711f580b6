"""Partitions, restore and the worker process, each against a real Kafka and each broken on purpose."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from engine.batch import Batch
from engine.errors import Fatal, Gap, RecordTooLarge, TakenOver
from engine.limits import Fetch, Limits
from engine.partitions import TransactionalPartitions
from engine.restore import read_positions, restore
from engine.unit_of_work import Output, commit, new_producer
from tests.integration.engine_town import town
from tests.integration.engine_toy import Counter

pytestmark = pytest.mark.kafka


@dataclass
class Notes:
    """An observer that remembers what happened, and where fatal errors end."""

    happened: list[str] = field(default_factory=list)
    fatal: list[Fatal] = field(default_factory=list)

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        self.happened.append(f"batch of {records}")

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        self.happened.append("fenced")

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        self.happened.append(f"restored {records}")

    def kept(self, topic: str, partition: int) -> None:
        self.happened.append("kept")


class Clumsy(Counter):
    """A processor whose decision can be made to fail, or to ask for the impossible."""

    fails: Exception | None = None
    adds: Output | None = None

    def decide(self, records: Sequence[ConsumerRecord]) -> Sequence[Output]:
        outputs = [*super().decide(records)]
        if self.fails is not None:
            raise self.fails
        return [*outputs, self.adds] if self.adds is not None else outputs


@dataclass
class Shop:
    """One input topic and one compacted output topic, of one partition each."""

    bootstrap: str
    directory: Path
    name: str = field(default_factory=lambda: f"shop-{uuid.uuid4().hex[:8]}")
    limits: Limits = field(default_factory=lambda: Limits(transaction=5, answer=8, fence=20, stall=8, leave=5))
    opened: list[TransactionalPartitions] = field(default_factory=list)
    processors: list[Clumsy] = field(default_factory=list)

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(f"{self.name}.in", 0)

    @property
    def target(self) -> TopicPartition:
        return TopicPartition(f"{self.name}.out", 0)

    def partitions(self, notes: Notes, limits: Limits | None = None) -> TransactionalPartitions:
        """An owner as one worker process has it."""

        def make_processor(partition: int) -> Clumsy:
            self.processors.append(Clumsy(self.target.topic, partition, self.directory / uuid.uuid4().hex))
            return self.processors[-1]

        owner = TransactionalPartitions(
            topic=self.source.topic,
            group_id=self.name,
            transactional_id_prefix=self.name,
            bootstrap=self.bootstrap,
            make_processor=make_processor,
            on_fatal=notes.fatal.append,
            observer=notes,
            limits=limits or self.limits,
        )
        self.opened.append(owner)
        return owner

    async def open(self, notes: Notes, limits: Limits | None = None) -> TransactionalPartitions:
        """An owner that is ready."""
        owner = self.partitions(notes, limits)
        await owner.assigned({0})
        await self.ready(owner, notes)
        return owner

    async def ready(self, owner: TransactionalPartitions, notes: Notes) -> None:
        await until(lambda: owner.ready or bool(notes.fatal))
        assert [] == notes.fatal

    async def publish(self, *ids: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for one in ids:
                await producer.send_and_wait(self.source.topic, b"%d" % one, b"k%d" % (one % 3), partition=0)

    async def read(self, source: TopicPartition) -> list[ConsumerRecord]:
        """All committed records."""
        found: list[ConsumerRecord] = []
        end = (await read_positions(self.bootstrap, f"{self.name}-reader", self.source, [source])).ends
        await restore(self.bootstrap, end, found.extend, 60)
        return found

    async def counted(self) -> list[tuple[str, int]]:
        """Ids and counts in the output topic."""
        events = [json.loads(record.value) for record in await self.read(self.target)]
        return [(event["id"], event["n"]) for event in events]

    async def committed(self) -> int | None:
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.name) as consumer:
            offset: int | None = await consumer.committed(self.source)
            return offset

    async def hand(
        self, owner: TransactionalPartitions, records: Sequence[ConsumerRecord], start: int | None = None
    ) -> None:
        """Submit records as one batch and wait until it is done."""
        done = asyncio.Event()
        first = records[0].offset if start is None else start
        await owner.submit(Batch(self.source.topic, 0, records, first, records[-1].offset + 1, done.set))
        async with asyncio.timeout(30):
            await done.wait()


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def shop(bootstrap: str, directory: Path) -> AsyncIterator[Shop]:
    place = Shop(bootstrap, directory)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    small = {"max.message.bytes": "2000000"}
    try:
        await admin.create_topics(
            [
                NewTopic(place.source.topic, 1, 1),
                NewTopic(place.target.topic, 1, 1, topic_configs={**small, "cleanup.policy": "compact"}),
                NewTopic(f"{place.name}.narrow", 1, 1, topic_configs={"max.message.bytes": "1000"}),
            ]
        )
        yield place
    finally:
        await asyncio.gather(*(owner.close() for owner in place.opened))
        await admin.delete_topics([place.source.topic, place.target.topic, f"{place.name}.narrow"])
        await admin.close()


def test_how_a_batch_was_cut_never_shows(bootstrap: str, tmp_path: Path) -> None:
    async def outputs(size: int) -> list[tuple[str, int]]:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(30))
            records = await place.read(place.source)
            owner = await place.open(Notes())
            for at in range(0, 30, size):
                await place.hand(owner, records[at : at + size])
            return await place.counted()

    async def story() -> None:
        whole = await outputs(30)
        assert 30 == len(whole)
        assert whole == await outputs(1) == await outputs(7)

    asyncio.run(story())


def test_records_below_the_next_offset_are_skipped_and_a_hole_ends_the_process(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(9))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            await place.hand(owner, records[:4])
            await place.hand(owner, records[:6])
            await place.hand(owner, records[2:5])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()
            assert 6 == await place.committed()
            await place.hand(owner, records[8:])
            assert [Gap] == [type(error) for error in notes.fatal]
            assert "expected offset 6, got a batch from 8 on" in str(notes.fatal[0])
            assert 6 == await place.committed()

    asyncio.run(story())


def test_a_batch_without_an_owner_is_dropped_and_opens_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            records = await place.read(place.source)
            notes = Notes()
            owner = place.partitions(notes)
            await place.hand(owner, records)
            await owner.assigned({0})
            await place.ready(owner, notes)
            await owner.revoked({0})
            await place.hand(owner, records)
            assert ["fenced", "restored 0"] == notes.happened
            assert None is await place.committed()

    asyncio.run(story())


def test_markers_without_records_only_move_the_offset(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            notes = Notes()
            owner = await place.open(notes)
            done = asyncio.Event()
            await owner.submit(Batch(place.source.topic, 0, [], 0, 5, done.set))
            await asyncio.wait_for(done.wait(), 30)
            assert 5 == await place.committed()
            assert [] == await place.counted()
            assert "batch of 0" == notes.happened[-1]

    asyncio.run(story())


def test_who_was_fenced_commits_nothing_and_says_who_took_over(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            old, new = Notes(), Notes()
            first = await place.open(old)
            await place.hand(first, records[:2])
            second = await place.open(new)
            assert ["fenced", "restored 2"] == new.happened
            await place.hand(first, records[2:])
            assert [TakenOver] == [type(error) for error in old.fatal]
            assert f"another worker took over partition 0 of {place.source.topic}" in str(old.fatal[0])
            await place.hand(second, records[2:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()

    asyncio.run(story())


def test_an_older_owners_open_transaction_ends_with_the_fence_before_the_offset_is_read(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(4))
            records = await place.read(place.source)
            zombie = new_producer(bootstrap, f"{place.name}-0", Limits(transaction=60))
            await zombie.start()
            try:
                await commit(zombie, place.source, 1, place.name, [], place.limits)
                await zombie.begin_transaction()
                await zombie.send_and_wait(place.target.topic, b"never seen", b"k", partition=0)
                await zombie.send_offsets_to_transaction({place.source: 3}, place.name)
                notes = Notes()
                began = time.monotonic()
                owner = await place.open(notes)
                assert time.monotonic() - began < 10
                assert {0: 1} == owner.positions
                with pytest.raises(KafkaError):
                    await zombie.commit_transaction()
                await place.hand(owner, records[1:])
                assert ["1", "2", "3"] == [one for one, _ in await place.counted()]
                assert 4 == await place.committed()
            finally:
                await zombie.stop()

    asyncio.run(story())


def test_an_owner_that_still_commits_while_another_takes_over_doubles_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(200))
            records = await place.read(place.source)
            old, new = Notes(), Notes()
            first = await place.open(old)

            async def work() -> None:
                for record in records:
                    await place.hand(first, [record])

            working = asyncio.create_task(work())
            await until(lambda: len(old.happened) > 5)
            second = await place.open(new)
            await working
            assert [TakenOver] == [type(error) for error in old.fatal]
            assert second.positions[0] > 3
            await place.hand(second, records)
            assert [(str(n), n // 3 + 1) for n in range(200)] == await place.counted()

    asyncio.run(story())


def test_a_partition_that_comes_back_keeps_its_state_unless_someone_else_committed(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            mine, others = Notes(), Notes()
            owner = await place.open(mine)
            await place.hand(owner, records[:2])
            await owner.revoked({0})
            await owner.assigned({0})
            await place.ready(owner, mine)
            assert ["fenced", "restored 0", "batch of 2", "fenced", "kept"] == mine.happened
            await place.hand(owner, records[2:3])
            await owner.revoked({0})
            other = await place.open(others)
            await place.hand(other, records[3:5])
            await owner.assigned({0})
            await place.ready(owner, mine)
            assert ["fenced", "restored 5"] == mine.happened[-2:]
            await place.hand(owner, records[5:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()

    asyncio.run(story())


def test_a_revoked_partition_finishes_its_unit_of_work_and_drops_what_waits(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            done: list[int] = []
            for at in (0, 2, 4):
                batch = Batch(place.source.topic, 0, records[at : at + 2], at, at + 2, lambda at=at: done.append(at))  # type: ignore[misc]  # binds the loop's value
                await owner.submit(batch)
            await asyncio.sleep(0)  # the first one is under way
            await owner.revoked({0})
            assert [0, 2, 4] == sorted(done)
            assert 2 == await place.committed()
            assert [] == notes.fatal

    asyncio.run(story())


def test_a_unit_of_work_that_takes_too_long_to_leave_is_aborted_and_its_state_rebuilt(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(6))
            records = await place.read(place.source)
            notes = Notes()
            hasty = Limits(transaction=5, answer=8, fence=20, stall=8, leave=0.001)
            owner = await place.open(notes, hasty)
            done = asyncio.Event()
            await owner.submit(Batch(place.source.topic, 0, records[:3], 0, 3, done.set))
            await asyncio.sleep(0)
            await owner.revoked({0})
            await asyncio.wait_for(done.wait(), 30)
            await owner.assigned({0})
            await place.ready(owner, notes)
            assert "kept" not in notes.happened
            position = owner.positions[0]
            await place.hand(owner, records[position:])
            assert [(str(n), n // 3 + 1) for n in range(6)] == await place.counted()
            assert [] == notes.fatal

    asyncio.run(story())


def test_a_partition_is_given_up_at_any_moment_of_its_opening(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(40))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes)
            await place.hand(owner, records[:30])
            for step in range(24):
                await owner.revoked({0})
                await owner.assigned(())
                await owner.assigned({0})
                await asyncio.sleep(step / 50)
                began = time.monotonic()
                await owner.revoked({0})
                assert time.monotonic() - began < 2
            await owner.assigned({0})
            await place.ready(owner, notes)
            await place.hand(owner, records[30:])
            assert [(str(n), n // 3 + 1) for n in range(40)] == await place.counted()

    asyncio.run(story())


def test_nothing_is_owned_after_the_end(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            notes = Notes()
            owner = await place.open(notes)
            await owner.close()
            await owner.assigned({0})
            assert {} == owner.positions
            assert ["fenced", "restored 0"] == notes.happened

    asyncio.run(story())


def test_a_batch_that_the_broker_refuses_ends_the_process_and_commits_nothing(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            notes = Notes()
            owner = await place.open(notes, Limits(transaction=40))
            place.processors[-1].adds = Output(f"{place.name}.narrow", 0, b"k", b"v" * 5_000)
            await place.hand(owner, await place.read(place.source))
            assert 1 == len(notes.fatal)
            assert "MessageSizeTooLargeError" in str(notes.fatal[0])
            assert None is await place.committed()
            began = time.monotonic()
            assert [] == await place.counted()
            assert time.monotonic() - began < 20, "readers had to wait for the transaction's time-out"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("adds", "fails", "error", "words"),
    [
        (Output("narrow", 0, b"key", b"v" * 3_000_000), None, RecordTooLarge, "key 3 bytes, value 3000000 bytes"),
        (None, ZeroDivisionError("a bug in a rule"), Fatal, "ZeroDivisionError: a bug in a rule"),
    ],
)
def test_a_decision_that_fails_ends_the_process_and_commits_nothing(
    bootstrap: str, tmp_path: Path, adds: Output | None, fails: Exception | None, error: type[Fatal], words: str
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(1)
            notes = Notes()
            owner = await place.open(notes)
            if adds is not None:
                place.processors[-1].adds = replace(adds, topic=f"{place.name}.{adds.topic}")
            place.processors[-1].fails = fails
            records = await place.read(place.source)
            await place.hand(owner, records)
            assert [error] == [type(one) for one in notes.fatal]
            assert words in str(notes.fatal[0])
            assert None is await place.committed()
            await place.hand(owner, records)  # a partition that has failed drops, and takes nothing up again
            assert 1 == len(notes.fatal)

    asyncio.run(story())


def test_an_idle_producer_is_fenced_anew_and_goes_on(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(4))
            records = await place.read(place.source)
            notes = Notes()
            owner = await place.open(notes, Limits(refence=0.5))
            await place.hand(owner, records[:2])
            await until(lambda: notes.happened.count("kept") >= 1)
            await place.hand(owner, records[2:])
            assert [(str(n), n // 3 + 1) for n in range(4)] == await place.counted()

    asyncio.run(story())


def test_restoring_an_empty_or_wholly_aborted_topic_ends(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            assert [] == await place.read(place.target)
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-x") as producer:
                for _ in range(3):
                    await producer.begin_transaction()
                    await producer.send_and_wait(place.target.topic, b"aborted", b"k", partition=0)
                    await producer.abort_transaction()
            assert [] == await place.read(place.target)

    asyncio.run(story())


def test_a_restore_reads_committed_records_behind_another_writers_open_transaction(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            other = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-other")
            await other.start()
            try:
                await other.begin_transaction()
                await other.send_and_wait(place.target.topic, b"open", b"k", partition=0)
                async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{place.name}-0") as mine:
                    await mine.begin_transaction()
                    await mine.send_and_wait(place.target.topic, b"mine", b"k", partition=0)
                    await mine.commit_transaction()
                found = await read_positions(bootstrap, place.name, place.source, [place.target])
                with pytest.raises(Fatal, match="another writer's transaction is open"):
                    await restore(bootstrap, found.ends, lambda _: None, 2)
                values: list[bytes] = []
                reading = asyncio.create_task(
                    restore(bootstrap, found.ends, lambda records: values.extend(one.value for one in records), 15)
                )
                await asyncio.sleep(1)
                assert not reading.done()
                await other.abort_transaction()
                assert 1 == await reading
                assert [b"mine"] == values
            finally:
                await other.stop()

    asyncio.run(story())


async def hang(bootstrap: str, transactional_id: str, *targets: TopicPartition) -> None:
    """Leave records in ``targets`` whose transaction the coordinator has forgotten.

    Kafka does that by itself when a killed broker comes back slowly. Here the broker is told not to verify for a
    moment, so that a producer can write without adding the partition to its transaction.
    """
    verify = "transaction.partition.verification.enable"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    broker = str((await admin.describe_cluster())["brokers"][0]["node_id"])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id)
    await producer.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, broker, {verify: "false"})])
        await asyncio.sleep(1)  # the broker learns of it through the metadata log
        await producer.begin_transaction()
        producer._txn_manager._txn_partitions.update(targets)
        for target in targets:
            await producer.send_and_wait(target.topic, b"never committed", b"k", partition=target.partition)
        producer._txn_manager._txn_partitions.clear()
        await producer.abort_transaction()
    finally:
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, broker, {verify: "true"})])
        await producer.stop()
        await admin.close()


@pytest.mark.skipif("CXBUS_BOOTSTRAP" in os.environ, reason="changes the broker's settings for a moment")
def test_transactions_that_the_coordinator_has_forgotten_neither_stop_the_restore_nor_come_back(
    bootstrap: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with shop(bootstrap, tmp_path) as place:
            await place.publish(*range(3))
            records = await place.read(place.source)
            alerts = TopicPartition(f"{place.name}.narrow", 0)
            await hang(bootstrap, f"{place.name}-0", place.target, alerts)
            with pytest.raises(Fatal, match="transaction is open \\(or hangs\\)"):
                await restore(bootstrap, {place.target: 1}, lambda _: None, 2)
            notes = Notes()
            owner = await place.open(notes)
            assert ["fenced", "restored 0"] == notes.happened
            place.processors[-1].adds = Output(alerts.topic, 0, b"k", b"an alert")
            await place.hand(owner, records)
            assert [("0", 1), ("1", 1), ("2", 1)] == await place.counted()
            assert [b"an alert"] == [record.value for record in await place.read(alerts)]

    asyncio.run(story())


def toy(bootstrap: str, name: str, directory: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.engine_toy", "--bootstrap", bootstrap, "--name", name]
    command += ["--data-dir", str(directory), *more]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The first line of the log that holds ``words``; everything before it is read away."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"the worker ended with {process.wait()} and never said {words!r}")


def ended(process: subprocess.Popen[str], seconds: float) -> int:
    """The exit code; the process is killed if there is none in time."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode


def test_a_worker_waits_for_a_broker_that_is_away_and_stops_when_told(tmp_path: Path) -> None:
    worker = toy("127.0.0.1:1", "nobody", tmp_path)
    line_with(worker, "waiting for broker")
    worker.terminate()
    assert 0 == ended(worker, 10)


def test_a_worker_waits_for_its_topics_and_then_reads_them(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        worker: subprocess.Popen[str] | None = None
        try:
            async with town(bootstrap, tmp_path) as place:
                other = f"{place.name}-later"
                worker = toy(bootstrap, other, tmp_path / "later", "--partitions", "1")
                line = await asyncio.to_thread(line_with, worker, "waiting for topics")
                assert f'"missing": ["{other}.a", "{other}.b"]' in line
                async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
                    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
                    await admin.start()
                    topics = [f"{other}.{letter}" for letter in "abc"]
                    await admin.create_topics([NewTopic(topic, 1, 1) for topic in topics])
                    await producer.send_and_wait(topics[0], b"1", b"k")
                    found: list[ConsumerRecord] = []
                    async with asyncio.timeout(40):
                        while not found:
                            position = await read_positions(
                                bootstrap, other, TopicPartition(topics[1], 0), [TopicPartition(topics[2], 0)]
                            )
                            await restore(bootstrap, position.ends, found.extend, 15)
                    worker.terminate()
                    assert 0 == await asyncio.to_thread(ended, worker, 10)
                    await admin.delete_topics(topics)
                    await admin.close()
        finally:
            if worker is not None and worker.poll() is None:
                worker.kill()
                worker.communicate()

    asyncio.run(story())


def test_an_error_in_an_agent_ends_the_worker_with_one_clear_line(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(bootstrap, tmp_path) as place:
            worker = toy(bootstrap, place.name, tmp_path / "w")
            try:
                async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
                    await producer.send_and_wait(f"{place.name}.a", b"no key: the toy's intake stumbles")
                line = json.loads(await asyncio.to_thread(line_with, worker, '"critical"'))
                assert ("worker must end", True) == (
                    line["event"],
                    line["reason"].startswith("agent intake: TypeError"),
                )
            finally:
                code = await asyncio.to_thread(ended, worker, 15)
            assert 1 == code

    asyncio.run(story())


def test_two_workers_do_not_share_a_data_directory(tmp_path: Path) -> None:
    first = toy("127.0.0.1:1", "nobody", tmp_path)
    line_with(first, "waiting for broker")
    second = toy("127.0.0.1:1", "nobody", tmp_path)
    line_with(second, "another worker uses")
    assert 1 == ended(second, 10)
    first.terminate()
    assert 0 == ended(first, 10)


def test_a_backlog_is_handed_out_in_the_order_of_broker_time(bootstrap: str, tmp_path: Path) -> None:
    """A busy partition (one event a second) is not overtaken by a quiet one (one in 100 s)."""

    async def story() -> None:
        name = f"order-{uuid.uuid4().hex[:8]}"
        given = {"message.timestamp.type": "CreateTime"}
        topics = [NewTopic(f"{name}.a", 2, 1, topic_configs=given), NewTopic(f"{name}.b", 1, 1)]
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        worker: subprocess.Popen[str] | None = None
        try:
            await admin.create_topics(topics)
            start = int(time.time()) - 6_000
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
                sent = [
                    await producer.send(topics[0].name, b"%d" % second, b"k", partition, (start + second) * 1000)
                    for second in range(6_000)
                    for partition in ((0, 1) if second % 100 == 0 else (0,))
                ]
                await asyncio.gather(*sent)
            worker = toy(bootstrap, name, tmp_path, "--partitions", "1", "--agents", "intake")
            journal = TopicPartition(f"{name}.b", 0)
            found: list[ConsumerRecord] = []
            async with asyncio.timeout(40):
                while len(found) < 6_060:
                    position = await read_positions(bootstrap, name, journal, [journal])
                    found.clear()
                    await restore(bootstrap, position.ends, found.extend, 15)
            seconds = [int(record.value) for record in found]
            latest, behind = 0, 0
            for second in seconds:
                latest, behind = max(latest, second), max(behind, latest - second)
            assert behind <= Fetch().slack_share * 6_100
            assert 6_060 == len(seconds)
        finally:
            if worker is not None:
                worker.terminate()
                assert 0 == await asyncio.to_thread(ended, worker, 15)
            await admin.delete_topics([topic.name for topic in topics])
            await admin.close()

    asyncio.run(story())
