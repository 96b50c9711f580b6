"""The worker process: what it waits for, how it ends, in which order it hands out a backlog."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.integration.engine_shop import read_all
from tests.integration.engine_town import town

pytestmark = pytest.mark.kafka


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
                assert f'"missing": ["{other}.a", "{other}.b", "{other}.p"]' in line
                async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
                    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
                    await admin.start()
                    topics = [f"{other}.{letter}" for letter in "abcp"]
                    await admin.create_topics([NewTopic(topic, 1, 1) for topic in topics])
                    await producer.send_and_wait(topics[0], b"1", b"k")
                    found: list[ConsumerRecord] = []
                    async with asyncio.timeout(40):
                        while not found:
                            found = await read_all(bootstrap, TopicPartition(topics[2], 0))
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
                    found = await read_all(bootstrap, journal)
            seconds = [int(record.value) for record in found]
            assert sorted(seconds) == seconds
            assert 6_060 == len(seconds)
        finally:
            if worker is not None:
                worker.terminate()
                assert 0 == await asyncio.to_thread(ended, worker, 15)
            await admin.delete_topics([topic.name for topic in topics])
            await admin.close()

    asyncio.run(story())
