"""Compressed batches that become more than anybody has memory for, or nothing sensible, on a real Kafka and worker."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cramjam
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher
from aiokafka.protocol.produce import ProduceRequest

from agents.messages import STRUCTURED
from cli.feed import Feed
from deploy.broker import EmbeddedBroker
from engine.kafka.decompression import LZ4, SNAPPY, ZSTD
from engine.kafka.limits import DecompressionLimits
from engine.kafka.privates.fetches import install_bounded_fetching
from schemas.dead_letter import ERRORS
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS, NOTIFIED, PROFILES, PROGRESS, TIMELINE, events_topic
from sinks.reading import Reading
from tests.chaos.arena import at_work
from tests.chaos.bus import Bus
from tests.unit.agents.bench import event
from tests.unit.engine.batches import NAMES, PACK, batch, number, record

pytestmark = [pytest.mark.kafka, pytest.mark.faults]

PARTITIONS = 2
WEB = events_topic("web")
MEGABYTE = 1_000_000
SIZES = (0.3, 1.4, 1.6, 2.0, 50.0)
CODECS = [codec for codec in NAMES if codec]
LARGEST = 1024 * 1024
THROUGH_SECONDS = 10.0
TOLD_SECONDS = 60.0
MOST_MEMORY = 1024 * 1024 * 1024
GIGABYTE = 1024 * MEGABYTE
KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sales": ("sales.opportunity.created.v1", {"opportunityId": "OP1", "stage": "new"}),
    "service": ("service.case.resolved.v1", {"caseId": "K1"}),
    "marketing": ("marketing.email.opened.v1", {"messageId": "MSG1"}),
    "finance": ("finance.payment.declined.v1", {"invoiceId": "I1"}),
    "web": ("web.page.viewed.v1", {"url": "/pricing"}),
    "social": ("social.review.posted.v1", {"site": "reviews.example", "rating": 1}),
}
"""An event of each department."""

Letter = Mapping[str, str]


class Publisher:
    """Sends batches as they are."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def send(self, topic: str, partition: int, raw: bytes) -> int | None:
        """The offset of its first record; ``None`` when the broker refuses it."""
        await self._client.add_topic(topic)
        await self._client.force_metadata_update()
        node = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(None, 1, 60_000, [(topic, [(partition, raw)])])
        answer = await self._client.send(node, request)
        _, code, offset, *_ = answer.topics[0][1][0]
        return None if code else int(offset)


@asynccontextmanager
async def publisher(bootstrap: str) -> AsyncIterator[Publisher]:
    """Connected."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=120_000)
    await client.bootstrap()
    try:
        yield Publisher(client)
    finally:
        await client.close()


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """A broker with the topics and one worker; it is the same process at the end, and never took too much memory."""
    home = tmp_path_factory.mktemp("large")
    with EmbeddedBroker(home / "broker") as broker, pytest.MonkeyPatch.context() as patch:
        for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
            patch.setattr(fetcher, name, getattr(fetcher, name))  # to be put back at the end
        install_bounded_fetching(DecompressionLimits())  # this process reads those batches, too
        made = Bus(home, broker, PARTITIONS)
        made.apply_topics()
        with made.processes():
            made.fleet.start("a")
            asyncio.run(at_work(made.bootstrap, 1))
            yield made


@pytest.fixture(autouse=True)
def unharmed(bus: Bus) -> Iterator[None]:
    """The worker is the same process, and its peak memory is bounded."""
    fleet, before = bus.fleet, pid(bus)
    yield
    if bus.fleet is not fleet:
        return  # a test that starts another one looks itself
    bus.fleet.supervise()
    assert [] == bus.fleet.exits, bus.fleet.log()
    assert before == pid(bus)
    peak = most_resident(before)
    print(f"peak resident memory of the worker: {peak // 1024 // 1024} MiB")
    assert peak <= MOST_MEMORY


def pid(bus: Bus) -> int:
    """Of the one worker."""
    (process,) = bus.fleet._running.values()
    return process.pid


def most_resident(process: int) -> int:
    """Bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


async def letters(bus: Bus, wanted: set[tuple[str, int, int]], seconds: float = TOLD_SECONDS) -> dict[Any, Letter]:
    """By origin, those about these places, as soon as all are there."""
    found: dict[tuple[str, int, int], Letter] = {}
    async for one in tail(bus, TopicPartition(DEAD, 0), seconds=seconds):
        told = {name.removeprefix(ERRORS): value.decode() for name, value in one.headers if name.startswith(ERRORS)}
        place = told["topic"], int(told["partition"]), int(told["offset"])
        if place in wanted:
            assert place not in found, "one letter about each"
            value = b"" if one.value is None else one.value
            found[place] = told | {"kept": str(len(value)), "key": str(len(one.key or b""))}
        if wanted <= found.keys():
            return found
    raise AssertionError(f"no letter about {sorted(wanted - found.keys())}\n{bus.fleet.log()}")


async def tail(bus: Bus, *places: TopicPartition, seconds: float) -> AsyncIterator[ConsumerRecord]:
    """Everything on these partitions, until nothing more comes in time."""
    until = time.monotonic() + seconds
    async with AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, isolation_level="read_committed") as consumer:
        consumer.assign(list(places))
        await consumer.seek_to_beginning()
        while time.monotonic() < until:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for one in records:
                    yield one


async def through(bus: Bus, name: str, seconds: float = THROUGH_SECONDS) -> float:
    """Publish an event of every department; the seconds until all of them are on the timeline."""
    moment = datetime.now(UTC).isoformat()
    began = time.monotonic()
    wanted = set()
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        for department, (kind, data) in KINDS.items():
            value = event(kind, moment, f"{name}-{department}", **data)
            wanted.add(f"{kind}-{name}-{department}".encode())
            await producer.send_and_wait(events_topic(department), value, headers=list(STRUCTURED), partition=0)
    places = [TopicPartition(TIMELINE, number) for number in range(PARTITIONS)]
    async for one in tail(bus, *places, seconds=seconds):
        wanted -= {some for some in wanted if some in (one.value or b"")}
        if not wanted:
            return time.monotonic() - began
    raise AssertionError(f"not through after {seconds:g} s: {wanted}\n{bus.fleet.log()}")


def bomb(size: int, key: bytes = b"") -> bytes:
    """A batch of nearly a megabyte that becomes ``size`` bytes, made without having them."""
    block = bytes(64 * MEGABYTE)
    noise = os.urandom(900_000)
    zeros = size // len(block)
    length = len(noise) + zeros * len(block)
    front = b"\0" + number(0) + number(0) + number(len(key)) + key + number(length)
    compressor = cramjam.zstd.Compressor(level=1)
    compressor.compress(number(len(front) + length + 1) + front + noise)
    packed = bytes(compressor.flush())
    for _ in range(zeros):
        compressor.compress(block)
        packed += bytes(compressor.flush())
    compressor.compress(number(0))
    packed += bytes(compressor.finish())
    return batch(packed, ZSTD, 1)


@pytest.mark.parametrize("codec", [pytest.param(codec, id=NAMES[codec]) for codec in CODECS])
def test_a_record_of_any_size_is_one_letter(bus: Bus, codec: int) -> None:
    async def story() -> None:
        sent: dict[float, int] = {}
        async with publisher(bus.bootstrap) as out:
            for size in SIZES:
                raw = batch(PACK[codec](record(0, bytes(int(size * MEGABYTE)))), codec, 1)
                offset = await out.send(WEB, 0, raw)
                if codec == SNAPPY and size == 50.0:
                    assert len(raw) > LARGEST
                    assert offset is None, "snappy can't become so much of so little: the broker takes no such batch"
                    continue
                assert offset is not None, size
                sent[size] = offset
        found = await letters(bus, {(WEB, 0, offset) for offset in sent.values()})
        for size, offset in sent.items():
            told = found[WEB, 0, offset]
            assert "too-large" == told["exception"], told
            if size == 50.0:
                assert int(told["kept"]) < LARGEST
            elif size > 1:
                assert ("1", str(64 * 1024), str(int(size * MEGABYTE))) == (
                    told["cut"],
                    told["kept"],
                    told["value-bytes"],
                )
            else:
                assert str(int(size * MEGABYTE)) == told["kept"]
        await through(bus, f"size-{codec}")

    asyncio.run(story())


def test_a_key_of_a_megabyte_and_ten_thousand_headers_are_one_letter_each(bus: Bus) -> None:
    async def story() -> None:
        async with publisher(bus.bootstrap) as out:
            key = await out.send(WEB, 0, batch(PACK[LZ4](record(0, b"{}", bytes(MEGABYTE))), LZ4, 1))
            crowd = [(b"h%d" % n, b"x" * 100) for n in range(10_000)]
            headers = await out.send(WEB, 0, batch(PACK[LZ4](record(0, b"{}", None, crowd)), LZ4, 1))
            many = [(b"", b"")] * 500_000
            more = await out.send(WEB, 0, batch(PACK[ZSTD](record(0, bytes(MEGABYTE), None, many)), ZSTD, 1))
        assert key is not None
        assert headers is not None
        assert more is not None
        found = await letters(bus, {(WEB, 0, key), (WEB, 0, headers), (WEB, 0, more)})
        assert str(MEGABYTE) == found[WEB, 0, key]["key"]
        assert "10000" == found[WEB, 0, headers]["headers"]
        assert "too-large" == found[WEB, 0, more]["exception"]
        await through(bus, "crowd")

    asyncio.run(story())


def test_of_a_batch_that_becomes_too_large_each_record_that_was_read_has_a_letter_and_the_rest_has_one(
    bus: Bus,
) -> None:
    async def story() -> None:
        body = b"".join(record(n, bytes(200_000)) for n in range(250))
        async with publisher(bus.bootstrap) as out:
            first = await out.send(WEB, 1, batch(PACK[ZSTD](body), ZSTD, 250))
        assert first is not None
        read = 32 * 1024 * 1024 // 200_020
        found = await letters(bus, {(WEB, 1, first + n) for n in range(read + 1)})
        assert {"too-large"} == {told["exception"] for told in found.values()}
        assert str(first + 249) == found[WEB, 1, first + read]["last-offset"]
        assert all("last-offset" not in found[WEB, 1, first + n] for n in range(read))
        await through(bus, "rest")

    asyncio.run(story())


def test_bombs_on_every_partition_at_once_delay_nobody_for_long(bus: Bus) -> None:
    async def story() -> None:
        raw = bomb(GIGABYTE)
        assert 900_000 < len(raw) < LARGEST
        places = [(topic, partition) for topic in bus.events for partition in range(PARTITIONS)]
        async with publisher(bus.bootstrap) as out:
            offsets = [await out.send(topic, partition, raw) for topic, partition in places]
        assert None not in offsets
        await through(bus, "bombs")
        wanted = {
            (topic, partition, int(offset or 0)) for (topic, partition), offset in zip(places, offsets, strict=True)
        }
        found = await letters(bus, wanted)
        assert {"too-large"} == {told["exception"] for told in found.values()}

    asyncio.run(story())


def test_large_batches_that_may_pass_wait_for_each_other_and_not_for_memory(bus: Bus) -> None:
    async def story() -> None:
        body = b"".join(record(n, bytes(250_000)) for n in range(125))
        raw = batch(PACK[ZSTD](body), ZSTD, 125)
        places = [(topic, partition) for topic in bus.events for partition in range(PARTITIONS)]
        async with publisher(bus.bootstrap) as out:
            firsts = [await out.send(topic, partition, raw) for topic, partition in places for _ in range(2)]
        assert None not in firsts
        took = await through(bus, "waiting", 60)
        print(f"events behind {len(firsts)} batches of 31 MiB were through after {took:.1f} s")

    asyncio.run(story())


def test_nonsense_is_refused_by_the_broker_or_one_letter(bus: Bus) -> None:
    async def story() -> None:
        good = [record(n, b"value %d" % n) for n in range(3)]
        taken: list[tuple[str, int]] = []
        async with publisher(bus.bootstrap) as out:
            for codec in NAMES:
                whole = PACK[codec](b"".join(good))
                nonsense = {
                    "garbage": batch(b"garbage" * 30, codec, 3),
                    "cut": batch(whole[:-4], codec, 3),
                    "behind": batch(whole + b"more", codec, 3),
                    "records behind": batch(PACK[codec](b"".join(good) + b"more"), codec, 3),
                    "lying length": batch(PACK[codec](good[0] + b"\x01" + good[1]), codec, 3),
                    "lying offsets": batch(PACK[codec](good[0] + good[2] + record(900, b"far")), codec, 3),
                    "no UTF-8": batch(PACK[codec](record(0, b"{}", None, [(b"\xff", b"")])), codec, 1),
                }
                for name, raw in nonsense.items():
                    offset = await out.send(WEB, 0, raw)
                    if offset is not None:
                        taken.append((f"{NAMES[codec]}: {name}", offset))
        print("taken by the broker:", ", ".join(name for name, _ in taken))
        await letters(bus, {(WEB, 0, offset) for _, offset in taken})
        await through(bus, "nonsense")

    asyncio.run(story())


def test_on_the_topics_of_the_bus_every_reader_passes_over_what_becomes_too_large(bus: Bus) -> None:
    """The owners, the restores of a new worker, the directory, the sink and the command line."""

    async def story() -> set[tuple[str, int, int]]:
        large, broken = bomb(GIGABYTE // 8, b"c_1"), batch(PACK[LZ4](record(0, b"{}", b"c_1")) + b"more", LZ4, 1)
        forged = batch(PACK[ZSTD](record(0, bytes(40 * MEGABYTE), b"c_1", [(b"v", b"1")])), ZSTD, 1)
        async with publisher(bus.bootstrap) as out:
            offsets = {
                (topic, 0, await out.send(topic, 0, raw))
                for topic in (JOURNAL, LINKS, TIMELINE, PROFILES, NOTIFIED, IDENTITIES, PROGRESS)
                for raw in (large, broken, forged)
            }
        await through(bus, "internal")
        return {(topic, partition, offset) for topic, partition, offset in offsets if offset is not None}

    wanted = asyncio.run(story())
    assert 21 == len(wanted)
    told = asyncio.run(letters(bus, {one for one in wanted if one[0] in (JOURNAL, LINKS)}))
    assert {"foreign-record"} == {one["exception"] for one in told.values()}
    assert [0] == [code for code, _ in bus.fleet.stop()]
    bus.fleet = bus.new_fleet("second")
    bus.fleet.start("a")
    asyncio.run(at_work(bus.bootstrap, 1))
    asyncio.run(through(bus, "restored", 60))
    told = asyncio.run(letters(bus, wanted))
    assert {"foreign-record"} == {one["exception"] for one in told.values()}
    assert [] == bus.fleet.exits, bus.fleet.log()
    assert most_resident(pid(bus)) <= MOST_MEMORY

    seen = asyncio.run(copied(bus))
    assert {(topic, partition) for topic, partition, _ in wanted} <= {place for place, _ in seen}
    with Feed(bus.bootstrap, [WEB, TIMELINE, JOURNAL]) as feed:
        assert {TIMELINE, JOURNAL} <= {one.topic for one in feed.all()}
    assert most_resident(os.getpid()) <= MOST_MEMORY


async def copied(bus: Bus) -> set[tuple[tuple[str, int], int]]:
    """Place and offset of all that a sink reads."""
    reading = Reading(bus.bootstrap, [JOURNAL, LINKS, TIMELINE, PROFILES, NOTIFIED, IDENTITIES, PROGRESS], {})
    await reading.open()
    try:
        logs = await reading.logs()
        reading.seek({place: log.start for place, log in logs.items()})
        found: set[tuple[tuple[str, int], int]] = set()
        while any(mark.next_offset < logs[place].end for place, mark in (await reading.reached()).items()):
            found |= {((one.topic, one.partition), one.offset) for one in await reading.read(5000, 1.0)}
        return found
    finally:
        await reading.close()
