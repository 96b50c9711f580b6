"""The bus's output about this story: a fold of its topics, independent of the order in which they are read. Pure.

Others may use the same cluster, so only customers with an event of this story on their timeline count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.alerted import ALERTED
from schemas.dead_letter import error_headers
from schemas.topics import DEAD, IDENTITIES, TIMELINE, alerts_topic

from .manifest import ExpectedAlert, Outcome
from .story import Story, StoryEvent

TOPICS = (TIMELINE, IDENTITIES, DEAD, *(alerts_topic(name) for name in ALERTED))
"""The topics that are observed."""

_TOLD = {alerts_topic(name): name for name in ALERTED}


@dataclass(frozen=True, slots=True)
class EventArrived:
    """An event of the story is on a timeline."""

    event: StoryEvent


@dataclass(frozen=True, slots=True)
class Died:
    """An event of the story is a dead letter: ``reason`` is one of a closed set, ``message`` is for its developer."""

    event: StoryEvent
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """Two customers were merged; ``known`` are the identifiers of both, as sent."""

    who: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alerted:
    """A message about an alert: its ``data``, as subscribers receive it."""

    data: Mapping[str, Any]


News = EventArrived | Died | CustomersMerged | Alerted


@dataclass(slots=True)
class _Alert:
    rule: str
    state: str = ""
    departments: set[str] = field(default_factory=set)


class Observed:
    """Takes records, returns each piece of news once, and keeps the outcome so far."""

    def __init__(self, story: Story) -> None:
        self._by_uid = {event.uid: event for event in story.events if event.uid is not None}
        self._by_value = {event.value: event for event in story.events}
        self._missing = set(self._by_value)
        self._who: dict[str, str] = {}
        self._known: dict[str, dict[str, None]] = {}
        self._merged: dict[str, str] = {}
        self._dead: dict[bytes, str] = {}
        self._alerts: dict[tuple[str, str], _Alert] = {}
        self._heard: set[str] = set()
        self._news: list[EventArrived | Died] = []
        self._untold: list[tuple[str, Mapping[str, Any] | None]] = []

    @property
    def missing(self) -> int:
        """How many events of the story are neither on a timeline nor in the dead letters."""
        return len(self._missing)

    def has(self, event: StoryEvent) -> bool:
        """Whether ``event`` is on a timeline or in the dead letters."""
        return event.value not in self._missing

    def take(self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]) -> None:
        """Take one record of one of ``TOPICS``."""
        if value is None:
            return  # an entry that moved to another customer, where it is reported
        if topic == TIMELINE:
            self._entry(key or b"", value)
        elif topic == IDENTITIES:
            self._identity(key or b"", value)
        elif topic == DEAD:
            self._letter(value, headers)
        else:
            self._alert(_TOLD[topic], value)

    def news(self, *, strangers: bool = False) -> Iterator[News]:
        """The news about the story that was not returned before; events before the alerts and merges they cause.

        With ``strangers`` also alerts about customers who are not in the story.
        """
        arrived, self._news = self._news, []
        yield from arrived
        untold, self._untold = self._untold, []
        for customer, alert in untold:
            who = self._whose(customer)
            if alert is not None and (who is not None or strangers):
                yield Alerted(alert)
            elif alert is None and who is not None:
                into = self._root(customer)
                yield CustomersMerged(who, tuple({**self._known.get(customer, {}), **self._known.get(into, {})}))
            else:
                self._untold.append((customer, alert))

    def outcome(self) -> Outcome:
        """The outcome of the records taken so far."""
        alerts = [
            ExpectedAlert(alert.rule, who, alert.state, tuple(sorted(alert.departments)))
            for (_, customer), alert in self._alerts.items()
            if customer not in self._merged and (who := self._whose(customer)) is not None
        ]
        merges = [who for customer in self._merged if (who := self._whose(customer)) is not None]
        return Outcome(
            customers=len({self._root(customer) for customer in self._who}),
            merges=Counter(merges),
            alerts=tuple(sorted(alerts)),
            dead=Counter(self._dead.values()),
        )

    # --- the topics -------------------------------------------------------------------------------------------------

    def _entry(self, key: bytes, value: bytes) -> None:
        customer, _, uid = key.decode().partition("/")
        event = self._by_uid.get(uid)
        if event is None:
            return
        self._who[customer] = event.who
        known = self._known.setdefault(customer, {})
        known.update(dict.fromkeys(one["value"] for one in orjson.loads(value)["data"]["identifiers"]))
        if event.value in self._missing:
            self._missing.remove(event.value)
            self._news.append(EventArrived(event))

    def _identity(self, key: bytes, value: bytes) -> None:
        kind, _, customer = key.decode().partition("/")
        into = orjson.loads(value).get("mergedInto") if kind == "c" else None
        if into is not None and customer not in self._merged:
            self._merged[customer] = into
            self._untold.append((customer, None))

    def _letter(self, value: bytes, headers: Mapping[str, bytes]) -> None:
        event, said = self._by_value.get(value), error_headers(headers.items())
        if event is None or value in self._dead or "exception" not in said:
            return
        reason = self._dead[value] = said["exception"].decode()
        self._missing.discard(value)
        self._news.append(Died(event, reason, said["message"].decode()))

    def _alert(self, department: str, value: bytes) -> None:
        message = orjson.loads(value)
        data = message["data"]
        alert = self._alerts.setdefault((data["alertId"], data["customerId"]), _Alert(data["rule"]))
        alert.state = data["state"]
        alert.departments.add(department)
        if message["id"] not in self._heard:  # every notified department gets the same message
            self._heard.add(message["id"])
            self._untold.append((data["customerId"], data))

    # --- who is who -------------------------------------------------------------------------------------------------

    def _whose(self, customer: str) -> str | None:
        return self._who.get(customer) or self._who.get(self._root(customer))

    def _root(self, customer: str) -> str:
        while customer in self._merged:
            customer = self._merged[customer]
        return customer
