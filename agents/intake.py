"""Intake: routes what departments publish to the journal, at least once.

Every record of a batch ends in exactly one of three places: the customer's journal partition when all its identifiers
are known to be one customer's, the links log when they are not, the dead letters when it can't be used. Offsets are
committed after all of that was acknowledged; what a crash sends again, the journey recognises.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from operator import attrgetter

from aiokafka import AIOKafkaProducer

from core.timeline.entry import DAY, uid_bytes
from engine.kafka.decompression import Flaw
from engine.kafka.record import KafkaRecord, Unusable
from engine.transactional.batch import Batch, commit
from engine.transactional.time_slice import TimeSlice
from engine.transactional.transaction import Output, by_target, send_all
from schemas.codec import Codec, Decoded
from schemas.journal import EntryKind, Origin, event_headers
from schemas.refusal import Reason, Refusal
from schemas.topics import JOURNAL, LINKS, department_of, partition_of

from .blocked import nobody
from .dead_letters import dead_letter
from .directory import Directory
from .dropped import refusal
from .identifiers import Identified, Identifiers
from .isolation import isolated
from .metrics import EngineMetrics, Metrics
from .record_forms import link_headers, received_at

BATCH_BYTES = 1_500_000
"""Bytes of a batch of output records; the internal topics take 2 MiB."""

PART = 2_000
PART_SECONDS = 0.1
"""Records that are routed without a pause, unless that takes longer: the journey's transactions wait meanwhile."""
PART_BYTES, UNDER_WAY_BYTES = 4 * 1024 * 1024, 16 * 1024 * 1024
"""Bytes of records that are routed without a pause, and bytes in flight to Kafka."""


class Intake:
    """Decides to which topic each record goes, and sends it there."""

    def __init__(
        self,
        codec: Codec,
        identifiers: Identifiers,
        directory: Directory,
        partitions: int,
        bootstrap: str,
        metrics: Metrics,
    ) -> None:
        self._codec = codec
        self._identifiers = identifiers
        self._directory = directory
        self._partitions = partitions
        self._metrics = metrics
        self._engine_metrics = EngineMetrics(metrics, "intake")
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects. Raises ``KafkaError``."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            max_request_size=2 * 1024 * 1024,
            retry_backoff_ms=10,
        )
        await self._producer.start()

    async def partitions_of(self, topic: str) -> set[int]:
        """The topic's partitions, as the cluster has them. Raises ``KafkaError``."""
        assert self._producer is not None, "start first"
        return set(await self._producer.partitions_for(topic))

    async def stop(self) -> None:
        """Disconnects; what was sent is acknowledged or will be read again."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def take(self, batches: Sequence[Batch]) -> None:
        """Routes batches that were fetched together, in the order of broker time, as if they came one by one.

        Batches of one partition are routed in order. Raises ``KafkaError`` and ``TimeoutError``; nothing is committed
        then.
        """
        async with AsyncExitStack() as turns:
            for place in sorted({(batch.topic, batch.partition) for batch in batches}):
                await turns.enter_async_context(self._turns[place])
            if self._producer is None:
                for batch in batches:
                    batch.done()
                return
            with self._metrics.in_progress.labels("intake").track_inprogress():
                await self._through(self._producer, batches)

    async def _through(self, producer: AIOKafkaProducer, batches: Sequence[Batch]) -> None:
        """Routes one part while the one before is in flight; one large part would hold up the journey."""
        clock, decided = time.perf_counter, 0.0
        began = clock()
        records = sorted(chain.from_iterable(batch.records for batch in batches), key=attrgetter("timestamp"))
        sent: list[asyncio.Task[object]] = []
        under_way = 0
        try:
            left: Sequence[KafkaRecord] = records
            while left:
                start = clock()
                part = TimeSlice(left[:PART], PART_SECONDS, PART_BYTES)
                outputs = self.route(part)
                self._count(part.taken, outputs)
                left = left[len(part.taken) :]
                decided += clock() - start
                under_way += part.size
                if under_way > UNDER_WAY_BYTES:
                    await asyncio.gather(*sent)
                    sent.clear()
                    under_way = part.size
                sent.append(asyncio.create_task(send_all(producer, by_target(outputs), BATCH_BYTES)))
                await asyncio.sleep(0)
            await asyncio.gather(*sent)
        finally:
            for task in sent:
                task.cancel()
        commit(batches)
        place = batches[0].topic, batches[0].partition
        self._engine_metrics.batch(*place, len(records), len(records), decided, clock() - began - decided)

    def route(self, records: Iterable[KafkaRecord]) -> list[Output]:
        """The outputs of the records, one for each, in their order."""
        return list(map(self._route, records))

    def _count(self, records: Iterable[KafkaRecord], outputs: Iterable[Output]) -> None:
        for topic, number in Counter(map(_TOPIC, records)).items():
            self._metrics.events.labels(department_of(topic)).inc(number)
        routed = Counter(map(_TOPIC, outputs))
        for way, topic in (("journal", JOURNAL), ("links", LINKS)):
            self._metrics.routed.labels(way).inc(routed[topic])

    def _route(self, record: KafkaRecord) -> Output:
        if isinstance(record, Unusable):
            return self._dead_letter(record, unread(record))
        received = received_at(record)
        understood = self._understood(record, received)
        if isinstance(understood, Refusal):
            return self._dead_letter(record, understood)
        decoded, identified = understood
        kind: EntryKind = "event"
        if decoded.identifiers:
            customer = self._directory.customer(identified.nodes)
        else:
            kind, customer = "note", self._directory.today(decoded.echoed)
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        headers = event_headers(origin, received, decoded.time, uid_bytes(decoded.source, decoded.id), kind)
        if customer is not None:
            return Output(JOURNAL, partition_of(customer, self._partitions), customer.encode(), decoded.value, headers)
        if blocked := self._directory.all_blocked(identified.nodes):
            return self._dead_letter(record, nobody(blocked))
        # The directory may lag when an alert is answered at once: the resolver may know a customer that it does not.
        return Output(LINKS, 0, None, decoded.value, link_headers(headers, identified.nodes))

    def _understood(self, record: KafkaRecord, received: int) -> tuple[Decoded, Identified] | Refusal:
        """Decodes the record and its identifiers. An exception costs one event: a retry would raise it again."""
        try:
            decoded = self._codec.decode(department_of(record.topic), record.value, record.headers)
            if isinstance(decoded, Refusal):
                return decoded
            if decoded.time > received + DAY:
                return Refusal(Reason.TIME_IN_FUTURE, _FUTURE)
            identified = self._identifiers.known[decoded.identifiers]
        except Exception as error:  # noqa: BLE001 -- isolated, reported and counted
            return isolated("intake", error)
        if identified.dropped:
            self._metrics.blocked.inc(len(identified.dropped))
            if (refused := refusal(identified.nodes, identified.dropped)) is not None:
                return refused
        return decoded, identified

    def _dead_letter(self, record: KafkaRecord, dead: Refusal) -> Output:
        self._metrics.dead.labels(department_of(record.topic), dead.reason).inc()
        origin = Origin(record.topic, record.partition, record.offset)
        sent = record.sent if isinstance(record, Unusable) else record.headers
        kept = tuple((name, value) for name, value in sent if value is not None)
        last = record.last if isinstance(record, Unusable) and record.last > record.offset else None
        return dead_letter(record.key, record.value, kept, "intake", origin, dead, last)


_TOPIC = attrgetter("topic")


def unread(record: Unusable) -> Refusal:
    """Why the record was not read."""
    if record.flaw is Flaw.UNREADABLE:
        return Refusal(Reason.UNREADABLE, _NONSENSE)
    return Refusal(Reason.TOO_LARGE, _BOMB)


_FUTURE = (
    'the attribute "time" is more than 24 hours ahead of the broker\'s clock; a date in the future belongs in data.'
)
_BOMB = (
    "the record batch is larger after decompression than a batch may be (32 MiB unless the bus is set otherwise), "
    "or a record has more than 100,000 headers; send smaller batches, and a link instead of a large document."
)
_NONSENSE = (
    "the record batch can't be read: its compressed data or its records are corrupt, although its checksum is right; "
    "look for the mistake in the program that wrote it."
)
