"""A toy application on the engine, run as a worker process by the engine's integration tests.

``intake`` copies events (value: an id) from A to B by key, at least once. ``journey`` reads B and counts per key, once
per id. For *every* record of B it writes one to C, with the offset in B, so that a test sees whether B was processed
exactly once although the copies that intake made are not counted. C is compacted; the state is restored from it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import zlib
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from engine.faust.application import Application, create_app
from engine.faust.rounds import rounds
from engine.faust.worker import run_worker
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.mark import MARK
from engine.store.store import Store
from engine.transactional.batch import commit
from engine.transactional.partitions import TransactionalPartitions
from engine.transactional.progress import ProgressLog
from engine.transactional.transaction import Output
from engine.transactional.unit import Deciding


class Counter:
    """Counts per key. State: family ``counts`` key -> n, family ``seen`` event id -> empty (what was counted)."""

    def __init__(self, counted: str, partition: int, directory: Path) -> None:
        self._counted = counted
        self._partition = partition
        self._store = Store(directory / str(partition), ("counts", "seen"))

    def sources(self) -> Sequence[TopicPartition]:
        return [TopicPartition(self._counted, self._partition)]

    def checkpoint(self) -> Checkpoint | None:
        return self._store.checkpoint()

    def reset(self) -> None:
        self._store.reset()

    def restore(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        for record in records:
            event = json.loads(record.value)
            if not event["copy"]:
                self._store.put("counts", event["key"].encode(), str(event["n"]).encode())
                self._store.put("seen", event["id"].encode(), b"")
        self._store.flush_pending()
        return ()

    def foreign(self, records: Sequence[ConsumerRecord]) -> Sequence[Output]:
        """Noted in the log, and nowhere else."""
        return ()

    def restored(self, mark: Checkpoint) -> None:
        self._store.flush_pending(mark)

    def opened(self, mark: Checkpoint) -> None:
        self._store.flush_pending(mark)

    def decide(self, records: Sequence[ConsumerRecord], *, careful: bool) -> Deciding:
        self._store.drop_pending()
        outputs = []
        for record in records:
            n = int(self._store.get("counts", record.key) or 0)
            copy = self._store.get("seen", record.value) is not None
            if not copy:
                n += 1
                self._store.put("counts", record.key, str(n).encode())
                self._store.put("seen", record.value, b"")
            event = {
                "key": record.key.decode(),
                "n": n,
                "id": record.value.decode(),
                "offset": record.offset,
                "copy": copy,
            }
            key = f"{event['key']}/{record.offset}".encode()
            outputs.append(Output(self._counted, self._partition, key, json.dumps(event).encode()))
            yield
        return outputs

    def committed(self, mark: Checkpoint) -> None:
        self._store.flush_pending(mark)

    def close(self) -> None:
        self._store.close()


def build(bootstrap: str, name: str, data_dir: Path, partitions: int, agents: str) -> Application:
    """The whole application: topics ``<name>.a``, ``<name>.b``, ``<name>.c``, and ``<name>.p`` for progress."""
    app = create_app(name, bootstrap=bootstrap, data_dir=data_dir)
    if "intake" in agents:
        app.agent(app.batch_topic(f"{name}.a", by_time=True), name="intake")(
            make_intake(bootstrap, f"{name}.b", partitions)
        )
    if "journey" in agents:
        journal = TransactionalPartitions(
            topic=f"{name}.b",
            group_id=name,
            transactional_id_prefix=f"{name}-journey",
            bootstrap=bootstrap,
            progress=ProgressLog(f"{name}.p", "journey"),
            make_processor=lambda partition: Counter(f"{name}.c", partition, data_dir / "state"),
            on_fatal=app.fatal,
        )
        app.register(journal)

        async def journey(stream: Any) -> None:
            async for together in rounds(stream):
                journal.submit(together)

        app.agent(app.batch_topic(f"{name}.b"), name="journey")(journey)
    return app


def make_intake(bootstrap: str, target: str, partitions: int) -> Any:
    """At least once: the offset is committed after the broker has acknowledged every output."""

    async def intake(stream: Any) -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=900 * 1024, retry_backoff_ms=10
        ) as producer:
            async for together in rounds(stream):
                targets: dict[int, list[ConsumerRecord]] = {}
                fetched = chain.from_iterable(batch.records for batch in together)
                for record in sorted(fetched, key=attrgetter("timestamp")):
                    targets.setdefault(zlib.crc32(record.key) % partitions, []).append(record)
                sent = []
                for partition, records in targets.items():
                    builder = producer.create_batch()
                    for record in records:
                        if builder.append(key=record.key, value=record.value, timestamp=None, headers=[MARK]) is None:
                            sent.append(await producer.send_batch(builder, target, partition=partition))
                            builder = producer.create_batch()
                            builder.append(key=record.key, value=record.value, timestamp=None, headers=[MARK])
                    builder.close()
                    sent.append(await producer.send_batch(builder, target, partition=partition))
                await asyncio.gather(*sent)
                commit(together)

    return intake


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--agents", default="intake,journey")
    parser.add_argument("--session", type=float, help="seconds, if not the engine's own")
    parser.add_argument("--log-level", default="WARNING")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=arguments.log_level, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    app = build(
        arguments.bootstrap,
        arguments.name,
        arguments.data_dir,
        arguments.partitions,
        arguments.agents,
    )
    if arguments.session is not None:
        app.conf.broker_session_timeout = arguments.session
    return run_worker(app)


if __name__ == "__main__":
    sys.exit(main())
