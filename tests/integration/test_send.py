"""``cxbus send`` on a real Kafka that goes away in the middle, or never has what is asked of it."""

from __future__ import annotations

import gc
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from cli import publication
from cli.problem import Code, Problem
from cli.publication import Acknowledged, Outgoing, publish
from deploy.broker import EmbeddedBroker

pytestmark = pytest.mark.kafka

LIMIT = 1_000_000
"""Bytes of a record that the topics take."""


def made(bootstrap: str, partitions: int = 1) -> str:
    """A topic."""
    name = f"send-{uuid.uuid4().hex[:8]}"
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs={"max.message.bytes": str(LIMIT)})])
    return name


def records(topic: str, number: int) -> Iterator[Outgoing]:
    for i in range(number):
        yield topic, b"%d" % i, None, ()


def test_the_last_acknowledgement_of_each_partition_is_returned_and_progress_told(bootstrap: str) -> None:
    topic = made(bootstrap)
    told: list[int] = []
    assert [Acknowledged(topic, 0, 11_999)] == publish(bootstrap, records(topic, 12_000), [topic], told.append)
    assert 12_000 == told[-1]
    assert sorted(told) == told


def test_a_small_file_without_keys_keeps_its_order_in_one_partition(bootstrap: str) -> None:
    topic = made(bootstrap, partitions=8)
    (last,) = publish(bootstrap, records(topic, 500), [topic])
    assert 499 == last.offset


def test_a_large_file_without_keys_is_shared_by_the_partitions(bootstrap: str) -> None:
    topic = made(bootstrap, partitions=2)
    last = publish(bootstrap, [(topic, b"x" * 50_000, None, ()) for _ in range(200)], [topic])
    assert {0, 1} == {one.partition for one in last}
    assert 200 == sum(one.offset + 1 for one in last)


def test_nothing_is_sent_when_a_topic_is_missing_and_none_is_made(bootstrap: str) -> None:
    topic, missing = made(bootstrap), f"missing-{uuid.uuid4().hex[:8]}"
    with pytest.raises(Problem, match=f"There is no topic {missing} on this Kafka; `cxbus topics apply` creates it"):
        publish(bootstrap, [*records(topic, 3), (missing, b"x", None, ())])
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        assert missing not in admin.list_topics()
    assert [Acknowledged(topic, 0, 0)] == publish(bootstrap, records(topic, 1), [topic])


def test_what_kafka_refuses_is_told_with_its_reason(bootstrap: str) -> None:
    topic = made(bootstrap)
    with pytest.raises(Problem, match=r"^Kafka did not take everything \(.*MessageSizeTooLarge.*\): 0 were") as caught:
        publish(bootstrap, [(topic, os.urandom(2 * LIMIT), None, ())])
    assert Code.AWAY == caught.value.code


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_broker_that_goes_away_in_the_middle_is_told_in_words_with_what_was_acknowledged(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publication, "STALLED", 3.0)
    monkeypatch.setattr(publication, "PATIENCE", 3.0)
    with EmbeddedBroker(tmp_path) as broker:
        topic = made(broker.bootstrap)

        def until_it_goes() -> Iterator[Outgoing]:
            yield from records(topic, 7_000)
            os.killpg(broker.group, number)
            yield from records(topic, 20_000)

        try:
            with pytest.raises(Problem) as midway:
                publish(broker.bootstrap, until_it_goes(), [topic])
            with pytest.raises(Problem) as from_the_start:
                publish(broker.bootstrap, records(topic, 1), [topic])
        finally:
            os.killpg(broker.group, signal.SIGCONT)
    assert Code.AWAY == midway.value.code == from_the_start.value.code
    said = str(midway.value)
    assert said.startswith("Kafka did not take everything (it acknowledged nothing for 3 s): ")
    assert said.endswith("then send all of it again: no event counts twice.")
    acknowledged = int(said.partition("): ")[2].partition(" were acknowledged")[0].replace(",", ""))
    assert 2_000 <= acknowledged <= 7_000
    assert "Kafka did not" in str(from_the_start.value)
    gc.collect()
    assert ("", "") == capfd.readouterr()


def test_an_interruption_is_told_with_what_was_acknowledged(bootstrap: str, capsys: pytest.CaptureFixture[str]) -> None:
    topic = made(bootstrap)

    def interrupted() -> Iterator[Outgoing]:
        yield from records(topic, 6_000)
        os.kill(os.getpid(), signal.SIGINT)
        yield from records(topic, 6_000)

    with pytest.raises(KeyboardInterrupt):
        publish(bootstrap, interrupted(), [topic])
    said = capsys.readouterr().err
    assert said.startswith("Interrupted: ")
    assert said.endswith(" were acknowledged; send all of it again: no event counts twice.\n")
