"""How a test plays a scenario of the sink: its seed, its stage, and what it says of what it measured."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from .sink_disk import SmallDisk
from .sink_stage import PARTITIONS, Stage
from .sink_writer import Writer

SEED = int(os.environ.get("CXBUS_CHAOS_SEED", "1"))

Say = Callable[[str], None]


def play(
    bootstrap: str, home: Path, scenario: Callable[[Stage], Coroutine[Any, Any, None]], disk: SmallDisk | None = None
) -> None:
    """On a stage of its own; the topics have what earlier scenarios wrote. What is written depends on the seed."""

    async def whole() -> None:
        writer = Writer(bootstrap, random.Random(f"{SEED} {home.name}").getrandbits(32), PARTITIONS)
        stage = Stage(home, bootstrap, writer, disk)
        try:
            await scenario(stage)
        finally:
            stage.sink.destroy()
            await writer.close()

    asyncio.run(whole())


def spread(seconds: list[float]) -> str:
    """The distribution of some times."""
    some = sorted(seconds)
    return f"{some[0]:.1f} to {some[-1]:.1f} s, median {some[len(some) // 2]:.1f} s"
