"""One sink process, and what may happen to it or its database: afterwards the database is the fold of the topics.

``CXBUS_CHAOS_SEED`` chooses what is written, what happens and when. Times are printed (``pytest -s``).
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from . import sink_log
from .sink_disk import NoNamespaces, SmallDisk
from .sink_play import SEED, Say, play, spread
from .sink_stage import Stage

pytestmark = pytest.mark.kafka

LONG_KILLS = int(os.environ.get("CXBUS_CHAOS_SINK_KILLS", "24"))
RATE = 800.0


@pytest.mark.parametrize(
    "kills", [6, pytest.param(LONG_KILLS, marks=[pytest.mark.chaos, pytest.mark.slow])], ids=["few", "many"]
)
def test_a_sink_killed_at_any_moment_leaves_a_whole_transaction_and_goes_on_from_it(
    kills: int, sink_bootstrap: str, tmp_path: Path, say: Say
) -> None:
    chance = random.Random(SEED)

    async def scenario(stage: Stage) -> None:
        recoveries: list[float] = []
        left: list[tuple[Any, dict[sink_log.Place, int], int]] = []
        writing = 0
        async with stage.busy(RATE):
            stage.sink.start()
            await stage.moved(0)
            for number in range(kills):
                if number % 2 == 0:
                    await asyncio.sleep(chance.uniform(0.0, 1.0))
                    half = stage.copy.half_written if number % 4 == 0 else None
                    done = await asyncio.to_thread(stage.sink.kill_while_writing, 6.0, half_written=half)
                    writing += done or await asyncio.to_thread(stage.sink.kill_while_writing, 20.0)
                else:
                    await asyncio.sleep(chance.uniform(0.0, 2.5))
                    stage.sink.kill()
                began = time.monotonic()
                crashed = stage.copy.kept(tmp_path / f"crash-{number}")
                torn = crashed.uncommitted()
                before = crashed.offsets()
                left.append((crashed, before, torn))
                stage.sink.start()
                await stage.moved(sum(before.values()))
                recoveries.append(time.monotonic() - began)
        assert [] == await stage.differences()
        topics = await stage.contents()
        for crashed, offsets, _ in left:
            assert [] == crashed.differences(topics.before(offsets)), crashed.path.parent.name
        say(
            f"{kills} kills, {writing} of them inside a transaction, "
            f"{sum(torn > 0 for *_, torn in left)} with pages of it in the log; {dict(stage.writer.told)}; "
            f"copying again after {spread(recoveries)}"
        )
        assert (kills + 1) // 2 == writing
        assert [] == stage.sink.exits

    play(sink_bootstrap, tmp_path, scenario)


@pytest.mark.parametrize(
    "times", [(1.0, 8.0), pytest.param((25.0,), marks=[pytest.mark.chaos, pytest.mark.slow])], ids=["short", "long"]
)
def test_while_somebody_else_locks_the_database_the_lag_grows_and_then_it_catches_up(
    times: tuple[float, ...], sink_bootstrap: str, tmp_path: Path, say: Say
) -> None:
    """Also for longer than SQLite waits for a lock, 5 s."""

    async def scenario(stage: Stage) -> None:
        await stage.writer.load(500)
        stage.sink.start()
        await stage.at_end()
        for seconds, mode in zip(times, ("EXCLUSIVE", "IMMEDIATE"), strict=False):
            async with stage.busy(RATE):
                with closing(sqlite3.connect(stage.copy.path, isolation_level=None, timeout=20)) as other:
                    other.execute(f"BEGIN {mode}")
                    before = stage.reached()
                    await asyncio.sleep(seconds)
                    assert before == stage.reached()
                    lag = await stage.lag()
                    other.execute("ROLLBACK")
                again = await stage.moved(before, supervised=False)
            caught_up = await stage.at_end(supervised=False)
            say(f"locked for {seconds:.0f} s: {lag} behind, written after {again:.2f} s, all {caught_up:.2f} s on")
            assert lag > RATE / 3 * seconds
        assert [] == await stage.differences()
        assert ("SQLITE_BUSY" in stage.sink.log()) == (max(times) > 5)
        assert 0 == stage.sink.stop()

    play(sink_bootstrap, tmp_path, scenario)


def test_on_a_full_disk_the_lag_grows_and_with_space_again_it_catches_up(
    sink_bootstrap: str, tmp_path: Path, say: Say
) -> None:
    chance = random.Random(SEED)

    async def scenario(stage: Stage) -> None:
        stage.sink.start()
        async with stage.busy(RATE):
            for leave in (0, chance.randrange(4096, 400_000)):
                await stage.at_end()
                disk.take(leave)
                await stage.until(lambda: disk.left() < 8192 or "SQLITE_FULL" in stage.sink.log())
                await asyncio.sleep(2.5)
                before, lag = stage.reached(), await stage.lag()
                disk.give_back()
                again = await stage.moved(before)
                say(f"full but for {leave} bytes: {lag} offsets behind, written again after {again:.2f} s")
                assert lag > RATE / 2
            disk.take(0)
            stage.sink.kill()
            stage.sink.start()
            await asyncio.sleep(4.0)
            before = stage.reached()
            disk.give_back()
            again = await stage.moved(before)
            say(f"killed on a full disk and started there: written after {again:.2f} s; ended {stage.sink.exits}")
        caught_up = await stage.at_end()
        say(f"all there {caught_up:.2f} s after the writers stopped")
        assert [] == await stage.differences()
        assert 0 == stage.sink.stop()

    try:
        with SmallDisk(96) as disk:
            play(sink_bootstrap, tmp_path, scenario, disk)
    except NoNamespaces as reason:
        pytest.skip(f"no disk of our own here: {reason}")
