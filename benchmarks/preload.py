"""Filling a cluster's topics with customers who have a past, as if the bus had been at work for years."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agents.identifiers import Identifiers
from engine.transactional.transaction import Output

from .bus import KEY
from .history import MODELS, histories, models
from .seed import identities, write
from .topics import Topics
from .traffic import customer_no

PATIENCE = 180.0
"""Seconds for a broker to come to rest after it was filled."""


MODEL_ENTRIES = 60_000
"""Of all customers who are taken through the journey together: half a minute."""


@dataclass(frozen=True, slots=True)
class Population:
    """So many customers with so many timeline entries each, all of the last ``days``."""

    customers: int
    entries: int
    days: float = 30.0

    @property
    def records(self) -> int:
        """Entries and profiles."""
        return self.customers * (self.entries + 1)

    def past(self, partitions: int, until: int) -> Iterator[Output]:
        """Timeline and profile records of all, before ``until`` (µs)."""
        identifiers = Identifiers(KEY.encode())
        count = max(1, min(self.customers, MODELS, MODEL_ENTRIES // self.entries))
        lived = models(identifiers, self.entries, until, self.days, count)
        return histories(lived, range(self.customers), identifiers, partitions)

    def known(self) -> Iterator[Output]:
        """Their identities, each known by one number."""
        return identities(Identifiers(KEY.encode()), ([customer_no(number)] for number in range(self.customers)))


def preload(bootstrap: str, of: Population, partitions: int, until: int, say: Callable[[str], None]) -> None:
    """Makes the bus's topics anew, with the pasts of all before ``until`` (µs). The directory knows nobody yet.

    Raises ``KafkaError``.
    """
    topics = Topics(bootstrap, partitions)
    topics.input()
    topics.identities()
    topics.bus()
    fill(bootstrap, of.past(partitions, until), f"{of.customers:,} customers with {of.entries:,} entries each", say)


def make_known(bootstrap: str, of: Population, say: Callable[[str], None]) -> None:
    """Tells the directory of all. Raises ``KafkaError``."""
    fill(bootstrap, of.known(), f"identities of {of.customers:,} customers", say)


def fill(bootstrap: str, records: Iterable[Output], what: str, say: Callable[[str], None]) -> None:
    """Writes the records and says how long it took. Raises ``KafkaError``."""
    began = time.monotonic()
    written = asyncio.run(write(bootstrap, records, say))
    seconds = time.monotonic() - began
    say(f"{what}: {written:,} records in {seconds:.0f} s, {written / seconds:,.0f} a second")
