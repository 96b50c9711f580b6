"""Limits of time that count what the process could do: in real processes that are stopped and go on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.kafka.errors import Fatal
from engine.kafka.time_limit import ended, limited, time_limit

ROOT = Path(__file__).parents[3]


def test_a_standstill_is_found_in_time() -> None:
    async def story() -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with time_limit(0.5):
                await asyncio.sleep(60)
        assert 0.5 <= time.monotonic() - began < 20

    asyncio.run(story())


def test_what_is_done_in_time_is_not_disturbed() -> None:
    async def story() -> None:
        async with time_limit(0.3):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)

    asyncio.run(story())


def test_the_complaint_is_the_reason_to_end() -> None:
    async def story() -> None:
        with pytest.raises(Fatal, match=r"no answer within 0\.1 s"):
            async with limited(0.1, "no answer"):
                await asyncio.sleep(60)

    asyncio.run(story())


def test_what_moves_may_take_any_time() -> None:
    async def story() -> None:
        async with time_limit(1.0) as waiting:
            for _ in range(5):
                await asyncio.sleep(0.3)
                waiting.renew()

    asyncio.run(story())


def test_tasks_are_waited_for_and_not_cancelled() -> None:
    async def story() -> None:
        task = asyncio.create_task(asyncio.sleep(0.6))
        assert not await ended({task}, 0.1)
        assert not task.cancelled()
        assert await ended({task}, 5)

    asyncio.run(story())


PATIENT = """
import asyncio, time
from engine.kafka.time_limit import time_limit

async def main():
    print("ready", flush=True)
    began = time.monotonic()
    try:
        async with time_limit(1.0):
            await asyncio.sleep(3600)
    except TimeoutError:
        print(time.monotonic() - began, flush=True)

asyncio.run(main())
"""


def test_a_process_that_gets_a_tenth_of_the_time_waits_several_times_as_long() -> None:
    """It is stopped for 0.9 s of each second, by signals: the machine has nothing to do with it."""
    with subprocess.Popen([sys.executable, "-c", PATIENT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.9)
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(0.1)
        process.kill()
        waited = float(process.stdout.readline())
    assert 2.5 < waited
