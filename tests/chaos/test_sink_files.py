"""A sink's database that is deleted, replaced or wanted by two: rebuilt from the topics, or refused with the reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .sink_play import Say, play
from .sink_process import SinkProcess
from .sink_stage import Stage

pytestmark = pytest.mark.kafka
LONG = [pytest.mark.chaos, pytest.mark.slow]

RATE = 600.0
RECORDS = 1500


def file_alone(database: Path) -> None:
    """Its write-ahead log stays."""
    database.unlink()


def directory(database: Path) -> None:
    """With the lock file in it."""
    shutil.rmtree(database.parent)


def test_a_database_lost_while_no_sink_runs_is_rebuilt(sink_bootstrap: str, tmp_path: Path, say: Say) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.writer.load(RECORDS)
        stage.sink.start()
        await stage.at_end()
        for lose in (file_alone, directory):
            stage.sink.kill()
            lose(stage.sink.database)
            stage.sink.start()
            rebuilt = await stage.at_end()
            say(f"{lose.__name__} lost: {stage.reached()} offsets rebuilt in {rebuilt:.1f} s")
            assert [] == await stage.differences()
        assert [] == stage.sink.exits

    play(sink_bootstrap, tmp_path, scenario)


@pytest.mark.parametrize("lose", [directory, pytest.param(file_alone, marks=LONG)])
def test_a_sink_whose_database_is_taken_away_ends_and_the_next_one_rebuilds_it(
    lose: Callable[[Path], None], sink_bootstrap: str, tmp_path: Path, say: Say
) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.writer.load(RECORDS)
        stage.sink.start()
        await stage.at_end()
        async with stage.busy(RATE):
            lose(stage.sink.database)
            assert 1 == await stage.sink.ended(10.0)
            assert "cxbus: " in stage.sink.log()
            assert "was removed or replaced while this sink wrote it. Start the sink again" in stage.sink.log()
            assert "Traceback" not in stage.sink.log()
            stage.sink.start()
            rebuilt = await stage.at_end()
        say(f"{lose.__name__} of a running sink: rebuilt in {rebuilt:.1f} s")
        assert [] == await stage.differences()
        assert [] == stage.sink.exits

    play(sink_bootstrap, tmp_path, scenario)


@pytest.mark.parametrize("kept", [0, pytest.param(3 * 4096, marks=LONG)], ids=["all of it", "all but its first pages"])
def test_a_database_overwritten_with_garbage_is_refused_left_alone_and_once_moved_away_rebuilt(
    kept: int, sink_bootstrap: str, tmp_path: Path
) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.writer.load(RECORDS)
        database = stage.sink.database
        stage.sink.start()
        await stage.at_end()
        assert 0 == stage.sink.stop()
        garbage = database.read_bytes()[:kept] + b"\xa5garbage" * 40_000
        database.write_bytes(garbage)
        stage.sink.start()
        assert 2 == await stage.sink.ended(20.0)
        reason = "is not an SQLite database" if kept == 0 else "damaged"
        (said,) = [line for line in stage.sink.log().splitlines() if line.startswith("cxbus: ")]
        assert reason in said
        assert "move" in said.lower()
        assert "Traceback" not in stage.sink.log()
        assert garbage == database.read_bytes()
        for file in database.parent.glob("cxbus.db*"):
            file.rename(file.with_name(f"away-{file.name}"))
        stage.sink.start()
        assert [] == await stage.differences()

    play(sink_bootstrap, tmp_path, scenario)


def test_a_second_sink_of_a_database_is_refused_and_the_first_goes_on(sink_bootstrap: str, tmp_path: Path) -> None:
    async def scenario(stage: Stage) -> None:
        second = SinkProcess(tmp_path / "second", sink_bootstrap, stage.sink.database)
        stage.sink.start()
        await stage.moved(0)
        try:
            async with stage.busy(RATE):
                second.start()
                assert 2 == await second.ended(20.0)
                assert f"Another sink (process {stage.sink.running.pid}) writes" in second.log()
                await stage.moved(stage.reached())
            stage.sink.freeze()  # one that stands still has it, too
            second.start()
            assert 2 == await second.ended(20.0)
            stage.sink.thaw()
            stage.sink.kill()
            second.start()
            await stage.writer.load(RECORDS)
            await stage.until(lambda: second.running.poll() is None and stage.reached() > 0, supervised=False)
            await stage.at_end(supervised=False)
            assert 0 == second.stop()
        finally:
            second.destroy()
        stage.sink.start()
        assert [] == await stage.differences()

    play(sink_bootstrap, tmp_path, scenario)
