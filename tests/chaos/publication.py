"""What was published, as its publishers know it: what was acknowledged and where, and what is in doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .business import Sent
from .checker import Problem
from .log import Header, Record

Place = tuple[str, int, int]


class Publication:
    """The accounts. Records are remembered by a hash of all that is in them, so that a million fit anywhere."""

    def __init__(self) -> None:
        self._acknowledged: dict[Place, int] = {}
        self._doubtful: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._acknowledged)

    @property
    def doubts(self) -> int:
        """Attempts whose outcome nobody knows."""
        return self._doubtful.total()

    def acknowledge(self, sent: Sent, place: Place) -> None:
        """The broker said that the record stands there (topic, partition, offset)."""
        self._acknowledged[place] = _print(sent.topic, sent.key, sent.value, sent.headers)

    def doubt(self, sent: Sent) -> None:
        """The record was tried, and the broker did not say that it has it."""
        self._doubtful[_print(sent.topic, sent.key, sent.value, sent.headers)] += 1

    def problems(self, events: Iterable[Record]) -> Iterator[Problem]:
        """``events``: all that stands on the departments' topics.

        Whatever was acknowledged stands where the broker said; whatever else stands there was tried and is in doubt,
        once for each try.
        """
        missing = dict(self._acknowledged)
        doubtful = self._doubtful.copy()
        for record in events:
            found = _print(record.topic, record.key, record.value, record.headers)
            promised = missing.pop((record.topic, record.partition, record.offset), None)
            if promised is None:
                doubtful[found] -= 1
                if doubtful[found] < 0:
                    yield Problem("extra", f"{record.origin} stands there, and nobody published it")
            elif promised != found:
                yield Problem("lost", f"{record.origin} was acknowledged; something else stands there")
        for topic, partition, offset in missing:
            yield Problem("lost", f"{topic}/{partition}/{offset} was acknowledged; nothing stands there")


def _print(topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> int:
    return hash((topic, key, value, tuple(headers)))
