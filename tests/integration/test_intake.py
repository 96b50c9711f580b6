"""Intake and its directory on a Kafka of their own, because the names of the bus's topics are fixed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from prometheus_client import CollectorRegistry

from agents.directory import Directory
from agents.identifiers import Identifiers
from agents.intake import Intake
from agents.key_record import OtherNormalisation, WrongKey, key_record
from agents.metrics import Metrics
from agents.normalisation import VERSION
from core.identity.links import Node
from deploy.broker import EmbeddedBroker
from engine.kafka.mark import MARK
from engine.transactional.batch import Batch
from engine.transactional.progress import WrittenBefore
from schemas.journal import Header
from schemas.topics import DEAD, IDENTITIES, LINKS
from tests.unit.agents.bench import CODEC, IDENTIFIERS, event, record

pytestmark = pytest.mark.kafka

WEB = "cx.web.events.v1"
NOW = 1_795_000_000_000
NARROW = 4_000
"""Bytes that the links log of these tests takes at once."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker with the topics that intake needs; its links log is narrow."""

    async def create(bootstrap: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            narrow = {"max.message.bytes": str(NARROW)}
            wide = {"max.message.bytes": str(2 * 1024 * 1024)}
            wanted = [
                NewTopic(LINKS, 1, 1, topic_configs=narrow),
                NewTopic(DEAD, 1, 1, topic_configs=wide),
                NewTopic(IDENTITIES, 1, 1),
            ]
            await admin.create_topics(wanted)
        finally:
            await admin.close()

    with EmbeddedBroker(tmp_path_factory.mktemp("intake")) as broker:
        asyncio.run(create(broker.bootstrap))
        yield broker.bootstrap


def seen(number: int, url: str = "https://example.com/") -> bytes:
    return event("web.page.viewed.v1", "2026-11-17T09:00:00Z", number, url=url)


async def ends(bootstrap: str) -> tuple[int, int]:
    """How many records there are in the links log and in the dead letters."""
    links, dead = TopicPartition(LINKS, 0), TopicPartition(DEAD, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        found = await consumer.end_offsets([links, dead])
    return found[links], found[dead]


class Counter:
    """An intake, and how much could be read of what it sends at the moment of each commit."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self._bootstrap = bootstrap
        self._directory = Directory(bootstrap, IDENTIFIERS, home / "directory")
        self._intake = Intake(CODEC, IDENTIFIERS, self._directory, 1, bootstrap, Metrics(CollectorRegistry()))
        self.committed: list[tuple[int, int]] = []
        self.done = 0

    def batch(self, partition: int, records: Sequence[ConsumerRecord]) -> Batch:
        """Of the web's events."""

        def commit(_offsets: object) -> None:
            found: list[tuple[int, int]] = []  # at this moment, so in a loop of its own
            looking = Thread(target=lambda: found.append(asyncio.run(ends(self._bootstrap))))
            looking.start()
            looking.join()
            self.committed += found

        def done() -> None:
            self.done += 1

        return Batch("cx.web.events.v1", partition, records, 0, len(records), done, commit)

    async def take(self, *values: bytes) -> None:
        """One batch. Raises what the intake raises."""
        records = [record("cx.web.events.v1", 0, offset, value, timestamp=NOW) for offset, value in enumerate(values)]
        async with self.at_work() as intake:
            await intake.take([self.batch(0, records)])

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Intake]:
        """The intake, connected."""
        await self._intake.start()
        try:
            yield self._intake
        finally:
            await self._intake.stop()

    def close(self) -> None:
        self._directory.close()


@pytest.fixture
def intake(kafka: str, tmp_path: Path) -> Iterator[Counter]:
    made = Counter(kafka, tmp_path)
    yield made
    made.close()


def test_a_batch_is_committed_once_all_of_it_can_be_read(kafka: str, intake: Counter) -> None:
    links, dead = asyncio.run(ends(kafka))
    asyncio.run(intake.take(seen(1), b"{", seen(2)))
    assert [(links + 2, dead + 1)] == intake.committed
    assert 1 == intake.done


def test_what_comes_together_goes_through_in_the_order_of_broker_time_and_is_committed_once(
    kafka: str, intake: Counter
) -> None:
    def some(partition: int, *numbers: int) -> list[ConsumerRecord]:
        return [
            record("cx.web.events.v1", partition, offset, seen(number), timestamp=NOW + number)
            for offset, number in enumerate(numbers)
        ]

    async def story(links: int) -> list[str]:
        async with intake.at_work() as works:
            await works.take([intake.batch(0, some(0, 101, 104, 105)), intake.batch(1, some(1, 102, 103, 106))])
        assert ([links + 6], 2) == ([one for one, _ in intake.committed], intake.done)
        async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
            place = TopicPartition(LINKS, 0)
            consumer.assign([place])
            consumer.seek(place, links)
            return [orjson.loads((await consumer.getone()).value)["id"] for _ in range(6)]

    links, _ = asyncio.run(ends(kafka))
    assert [orjson.loads(seen(n))["id"] for n in range(101, 107)] == asyncio.run(story(links))


def test_what_kafka_refuses_is_an_error_and_its_batch_is_not_committed(intake: Counter) -> None:
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(intake.take(seen(1), seen(2, "https://example.com/" + "x" * NARROW)))
    assert ([], 0) == (intake.committed, intake.done)


@pytest.mark.parametrize("size", [1024 * 1024 - 100, 2_000_000, 50_000_000])
def test_a_record_of_any_size_becomes_a_letter(kafka: str, intake: Counter, size: int) -> None:
    links, dead = asyncio.run(ends(kafka))
    asyncio.run(intake.take(b"0" * size, seen(int(size))))
    assert [(links + 1, dead + 1)] == intake.committed


def test_a_large_key_and_ten_thousand_headers_become_letters(kafka: str, intake: Counter) -> None:
    large = record(WEB, 0, 0, b"{", key=b"k" * 1_000_000, headers=[("x", b"h" * 100_000)], timestamp=NOW)
    many = [(f"x-{number}", b"h" * 500) for number in range(10_000)]
    records = [large, record(WEB, 0, 1, b"{", headers=many, timestamp=NOW), record(WEB, 0, 2, b"{", timestamp=NOW)]

    async def story() -> None:
        async with intake.at_work() as works:
            await works.take([intake.batch(0, records)])

    links, dead = asyncio.run(ends(kafka))
    asyncio.run(story())
    assert [(links, dead + 3)] == intake.committed


async def tailed(kafka: str, home: Path, identifiers: Identifiers = IDENTIFIERS) -> str | None:
    """Who the directory says node 1 is, once it has caught up. Raises what the directory raises before that."""
    directory = Directory(kafka, identifiers, home)
    tail, caught_up = asyncio.create_task(directory.tail()), asyncio.create_task(directory.caught_up.wait())
    try:
        async with asyncio.timeout(60):
            await asyncio.wait({tail, caught_up}, return_when=asyncio.FIRST_COMPLETED)
        if tail.done():
            await tail
        return directory.customer([Node("email", "1")])
    finally:
        caught_up.cancel()
        tail.cancel()
        await asyncio.gather(tail, caught_up, return_exceptions=True)
        directory.close()


async def identify(kafka: str, key: bytes, value: bytes | None, *headers: Header) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(IDENTITIES, value, key, 0, headers=list(headers))


def test_the_identities_of_before_the_mark_are_refused_and_foreign_records_are_passed_over(
    kafka: str, tmp_path: Path
) -> None:
    asyncio.run(identify(kafka, b"#key", key_record(IDENTIFIERS)))
    with pytest.raises(WrittenBefore, match="has no header v"):
        asyncio.run(tailed(kafka, tmp_path / "old"))
    asyncio.run(identify(kafka, b"#key", key_record(IDENTIFIERS), MARK))
    asyncio.run(identify(kafka, b"i/1", b'{"id": "c_1", "type": "email"}', MARK))
    for key, value, headers in (
        (b"i/1", b'{"id": "c_9", "type": "email"}', ()),
        (b"i/1", None, (("v", b"junk"),)),
        (b"#key", b"{}", ()),
        (b"i/1", b"no JSON", (MARK,)),
        (b"c/c_1", b"[]", (MARK,)),
        (b"\xff", b"null", ()),
    ):
        asyncio.run(identify(kafka, key, value, *headers))
    assert "c_1" == asyncio.run(tailed(kafka, tmp_path / "cold"))
    assert "c_1" == asyncio.run(tailed(kafka, tmp_path / "cold"))


def test_a_directory_on_disk_is_not_used_with_another_key(kafka: str, tmp_path: Path) -> None:
    asyncio.run(identify(kafka, b"#key", key_record(IDENTIFIERS), MARK))
    asyncio.run(tailed(kafka, tmp_path / "directory"))
    with pytest.raises(WrongKey, match="CXBUS_IDENTITY_KEY"):
        asyncio.run(tailed(kafka, tmp_path / "directory", Identifiers(b"quite another key")))


def test_a_directory_on_disk_is_not_used_with_another_normalisation(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(identify(kafka, b"#key", key_record(IDENTIFIERS), MARK))
    asyncio.run(tailed(kafka, tmp_path / "directory"))
    monkeypatch.setattr("agents.key_record.VERSION", VERSION + 1)
    with pytest.raises(OtherNormalisation, match="of the normalisation"):
        asyncio.run(tailed(kafka, tmp_path / "directory"))
