"""A broker that is frozen or killed under load, and a sink that stands still for longer than any time-out."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker

from .sink_play import SEED, Say, play
from .sink_stage import Stage, apply_topics

pytestmark = [pytest.mark.kafka, pytest.mark.chaos, pytest.mark.slow]

RATE = 800.0
BROKER_STANDS = 15.0
SINK_STANDS = 45.0
"""Longer than the 10 s of its requests and the 30 s after which it is not alive."""
RECOVERY = 30.0
"""Seconds within which it must copy again once the broker is back."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """One that may be hurt."""
    with EmbeddedBroker(tmp_path / "own") as broker:
        apply_topics(broker.bootstrap)
        yield broker


def test_a_frozen_broker_is_waited_for(broker: EmbeddedBroker, tmp_path: Path, say: Say) -> None:
    async def scenario(stage: Stage) -> None:
        stage.sink.start()
        async with stage.busy(RATE):
            await stage.moved(1000)
            os.killpg(broker.group, signal.SIGSTOP)
            await asyncio.sleep(BROKER_STANDS)
            before = stage.reached()
            os.killpg(broker.group, signal.SIGCONT)
            again = await stage.moved(before, supervised=False)
            await asyncio.sleep(3.0)
        say(f"a broker frozen for {BROKER_STANDS:.0f} s: copying again {again:.1f} s after it moved")
        assert again < RECOVERY
        assert [] == await stage.differences()
        assert 0 == stage.sink.stop()

    play(broker.bootstrap, tmp_path, scenario)


def test_a_killed_broker_is_waited_for_and_nothing_is_read_twice_or_left_out(
    broker: EmbeddedBroker, tmp_path: Path, say: Say
) -> None:
    chance = random.Random(SEED)

    async def scenario(stage: Stage) -> None:
        stage.sink.start()
        recoveries = []
        async with stage.busy(RATE):
            await stage.moved(1000)
            for _ in range(3):
                await asyncio.sleep(chance.uniform(1.0, 4.0))
                os.killpg(broker.group, signal.SIGKILL)
                await asyncio.sleep(chance.uniform(0.0, 6.0))
                await asyncio.to_thread(broker.start)
                began, before = time.monotonic(), stage.reached()
                await stage.moved(before, supervised=False)
                recoveries.append(time.monotonic() - began)
        again = ", ".join(f"{seconds:.1f}" for seconds in recoveries)
        say(f"a broker killed three times: copying again {again} s after it answered; {dict(stage.writer.told)}")
        assert max(recoveries) < RECOVERY
        assert [] == await stage.differences()
        assert "copy-discarded" not in stage.sink.log()
        assert 0 == stage.sink.stop()

    play(broker.bootstrap, tmp_path, scenario)


def test_a_sink_frozen_for_longer_than_any_time_out_goes_on(sink_bootstrap: str, tmp_path: Path, say: Say) -> None:
    async def scenario(stage: Stage) -> None:
        stage.sink.start()
        async with stage.busy(RATE / 2):
            await stage.moved(1000)
            stage.sink.freeze()
            before = stage.reached()
            await asyncio.sleep(SINK_STANDS)
            assert before == stage.reached()
            lag = await stage.lag()
            stage.sink.thaw()
            again = await stage.moved(before, supervised=False)
        caught_up = await stage.at_end(supervised=False)
        say(f"frozen for {SINK_STANDS:.0f} s: {lag} behind, copying after {again:.2f} s, all {caught_up:.1f} s on")
        assert [] == await stage.differences()
        assert 0 == stage.sink.stop()

    play(sink_bootstrap, tmp_path, scenario)
