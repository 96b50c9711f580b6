"""A broker with a bus on it for one test, its publishers and its judge, and the words in which a test tells figures."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from agents.app import rules
from agents.identifiers import Identifiers
from deploy.broker import EmbeddedBroker
from runtime.settings import Settings
from schemas.registry import Registry

from .bus import KEY, LOOK_SECONDS, Bus
from .business import Sent
from .checker import Problem
from .fleet import Fleet
from .log import Reader
from .progress import Sample
from .publication import Publication
from .publisher import Publisher, Told
from .verification import SAMPLE, Figures, Verifier

PARTITIONS = 4
DRAIN_SECONDS = 120.0
START_SECONDS = 60.0
GROUP = Settings().app_id


class JudgedBus(Bus):
    """A bus that knows what was published on it, and is judged. Everything random comes from ``seed``."""

    def __init__(self, home: Path, broker: EmbeddedBroker, partitions: int, seed: int, sample: int) -> None:
        super().__init__(home, broker, partitions)
        in_force = rules(Settings(), Registry.discover())
        self.chance = random.Random(seed)
        self.judge = Verifier(in_force, Identifiers(KEY.encode()), self.departments, partitions, sample)
        self.publication = Publication()
        self.reader = Reader(self.bootstrap, self.sizes)

    async def publish(self, sent: Sequence[Sent], rate: float) -> Told:
        """Everything in its order, until it was acknowledged, at ``rate`` events/s."""
        self.judge.expect(sent)
        publisher = Publisher(self.bootstrap, self.publication, rate)
        await publisher.publish(sent)
        return publisher.told

    async def drained(self, seconds: float = DRAIN_SECONDS) -> None:
        """Returns when everything was worked through. Raises ``TimeoutError``."""
        await self.progress.drained(seconds, self.memory, self.fleet.supervise)

    async def ready(self, seconds: float = START_SECONDS) -> None:
        """Returns when all workers have restored what they own: there may be no lag before. Raises ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            while not self.fleet.ready():
                self.fleet.supervise()
                await asyncio.sleep(LOOK_SECONDS)

    async def looked(self) -> Sample:
        """The offsets, as soon as the broker tells them."""
        while True:
            sample = await self.progress.look(self.memory)
            if sample is not None:
                return sample
            await asyncio.sleep(LOOK_SECONDS)

    async def judged(self) -> list[Problem]:
        """Reads what is new, folds it, and holds everything against everything."""
        return list(self.judge.judge(await self.reader.read(), self.publication))

    def figures(self) -> Figures:
        """Of the last verification."""
        return self.judge.figures(self.reader.log)


@contextmanager
def arena(
    home: Path, seed: int, partitions: int = PARTITIONS, sample: int = SAMPLE
) -> Iterator[tuple[EmbeddedBroker, JudgedBus]]:
    """A broker below ``home / "broker"`` and a bus with its topics; no worker runs yet, and none is left.

    ``sample``: so many small customers are held against the plain definition.
    """
    with EmbeddedBroker(home / "broker") as broker:
        bus = JudgedBus(home, broker, partitions, seed, sample)
        bus.apply_topics()
        with bus.processes():
            yield broker, bus


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000


def verdict(problems: Sequence[Problem]) -> str:
    """For the figures: how many problems of which kind, and the first few."""
    if not problems:
        return "0 problems"
    kinds = dict(Counter(problem.kind for problem in problems))
    return "\n".join([f"problems {kinds}", *(f"    {one.kind}: {one.what[:300]}" for one in problems[:12])])


def ended(fleet: Fleet) -> dict[str, int]:
    """For the figures: who ended without having been told or killed, with which code and why, and how often."""
    return dict(Counter(f"{one.name} {one.code} {one.why[:120]}" for one in fleet.exits))


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
