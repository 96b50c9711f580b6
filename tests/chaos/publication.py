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
        self._former: set[tuple[Place, int]] = set()
        self._doubtful: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._acknowledged) + len(self._former)

    @property
    def doubts(self) -> int:
        """Attempts whose outcome nobody knows."""
        return self._doubtful.total()

    def acknowledge(self, sent: Sent, place: Place) -> None:
        """The broker said that the record stands there (topic, partition, offset)."""
        made = _print(sent.topic, sent.key, sent.value, sent.headers)
        before = self._acknowledged.get(place)
        if before is not None and before != made:  # the broker has given the place away a second time
            self._former.add((place, before))
        self._acknowledged[place] = made

    def doubt(self, sent: Sent) -> None:
        """The record was tried, and the broker did not say that it has it."""
        self._doubtful[_print(sent.topic, sent.key, sent.value, sent.headers)] += 1

    def begin_anew(self, topic: str) -> None:
        """The topic is deleted and made again, after it was read: its places are taken a second time."""
        for place in [place for place in self._acknowledged if place[0] == topic]:
            self._former.add((place, self._acknowledged.pop(place)))

    def problems(self, events: Iterable[Record]) -> Iterator[Problem]:
        """``events``: all that stands on the departments' topics.

        Whatever was acknowledged stands where the broker said; whatever else stands there was tried and is in doubt,
        once for each try. A record without a value is as one with an empty value.
        """
        missing = dict(self._acknowledged)
        former = set(self._former)
        doubtful = self._doubtful.copy()
        for record in events:
            found = _print(record.topic, record.key, record.value or b"", record.headers)
            place = (record.topic, record.partition, record.offset)
            if (place, found) in former:
                former.remove((place, found))
                continue
            promised = missing.pop(place, None)
            if promised is None:
                doubtful[found] -= 1
                if doubtful[found] < 0:
                    yield Problem("extra", f"{record.origin} stands there, and nobody published it")
            elif promised != found:
                yield Problem("lost", f"{record.origin} was acknowledged; something else stands there")
        for topic, partition, offset in [*missing, *(place for place, _ in former)]:
            yield Problem("lost", f"{topic}/{partition}/{offset} was acknowledged; nothing stands there")


def _print(topic: str, key: bytes | None, value: bytes, headers: Sequence[Header]) -> int:
    return hash((topic, key, value, tuple(headers)))
