"""A broker with a bus on it for one test, and the words in which a test tells its figures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from agents.settings import Settings
from deploy.broker import EmbeddedBroker

from .bus import Bus
from .checker import Problem

PARTITIONS = 4
DRAIN_SECONDS = 120.0
START_SECONDS = 60.0
GROUP = Settings().app_id


@contextmanager
def arena(home: Path, seed: int, partitions: int = PARTITIONS) -> Iterator[tuple[EmbeddedBroker, Bus]]:
    """A broker below ``home / "broker"`` and a bus with its topics; no worker runs yet, and none is left."""
    with EmbeddedBroker(home / "broker") as broker:
        bus = Bus(home, broker.bootstrap, partitions, seed)
        bus.apply_topics()
        try:
            yield broker, bus
        finally:
            bus.fleet.destroy()


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000


def verdict(problems: Sequence[Problem]) -> str:
    """For the figures: how many problems of which kind, and the first few."""
    if not problems:
        return "0 problems"
    kinds = dict(Counter(problem.kind for problem in problems))
    return "\n".join([f"problems {kinds}", *(f"    {one.kind}: {one.what[:300]}" for one in problems[:12])])


async def members(bootstrap: str) -> list[str]:
    """The addresses of the bus's workers, once for each; none before there is such a group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([GROUP])
        (described,) = answer.to_object()["groups"]
        return sorted(member["client_host"].removeprefix("/") for member in described["members"])
    except GroupCoordinatorNotAvailableError:
        return []
    finally:
        await admin.close()


async def at_work(bootstrap: str, workers: int) -> None:
    """Returns when so many are in the group. Raises ``TimeoutError``."""
    until = time.monotonic() + START_SECONDS
    while len(there := await members(bootstrap)) < workers:
        if time.monotonic() > until:
            raise TimeoutError(f"after {START_SECONDS:g} s only {there} are in the group")
        await asyncio.sleep(0.5)
