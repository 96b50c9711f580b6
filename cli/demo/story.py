"""The story as events: a prologue of ordinary weeks, then a day with Ada, Ben and Cleo. ``now`` is an argument."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml

from core.timeline.entry import DAY, HOUR, SECOND, event_uid, rfc3339

MINUTE = 60 * SECOND
_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE}

FIRST_NAMES = ("Alma", "Bruno", "Carla", "Dario", "Edda", "Felix")
LAST_NAMES = ("Ashdown", "Birch", "Cole", "Dunmore", "Ellery", "Frost")
"""36 invented customers who only order, get invoices, and pay."""


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An event that ``department`` publishes about ``who``: a person of the day, or an ordinary customer's number.

    ``value`` is a structured CloudEvent; ``uid`` is ``None`` if it is malformed on purpose. ``at`` in µs. ``says``: the
    event as a sentence; empty in the prologue.
    """

    department: str
    who: str
    at: int
    value: bytes
    uid: str | None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """Prologue and day, in the order of publication. ``names``: person of the day → their name."""

    prologue: tuple[StoryEvent, ...]
    day: tuple[StoryEvent, ...]
    names: Mapping[str, str]

    @property
    def events(self) -> tuple[StoryEvent, ...]:
        return self.prologue + self.day


def story(now: int, suffix: str = "") -> Story:
    """The story relative to ``now`` (µs). Another ``suffix`` gives other customers with the same names.

    The same arguments give the same bytes.
    """
    told = _written()
    writer = _Writer(now - now % MINUTE, suffix, told["people"])
    prologue = [*(writer.event(**said) for said in told["prologue"]), *_ordinary(writer)]
    return Story(
        prologue=tuple(sorted(prologue, key=lambda event: event.at)),
        day=tuple(writer.event(**said) for said in told["story"]),
        names={who: person["name"] for who, person in told["people"].items()},
    )


@cache
def _written() -> Mapping[str, Any]:
    written: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("story.yaml").read_text(encoding="utf-8"))
    return written


class _Writer:
    """Builds events with envelope and number."""

    def __init__(self, now: int, suffix: str, people: Mapping[str, Any]) -> None:
        self._now = now
        self._suffix = suffix
        self._people = people
        self._number = 0

    def event(self, *, at: str, who: str, type: str, data: Mapping[str, Any], **rest: Any) -> StoryEvent:
        """An event of ``story.yaml``; ``rest`` are its fields ``as``, ``says`` and ``malformed``."""
        person = self._people[who]
        moment = self._now + _offset(at)
        known = person["known"][rest["as"]]
        malformed = rest.get("malformed", False)
        return self.write(who, person["name"], known, moment, type, data, rest.get("says", ""), malformed=malformed)

    def ordinary(self, name: str, number: str, before: int, type: str, data: Mapping[str, Any]) -> StoryEvent:
        """An event about an ordinary customer, ``before`` µs ago."""
        known = [("customer_no", number), ("email", f"{name.lower().replace(' ', '.')}@example.com")]
        return self.write(number, name, known, self._now - before, type, data)

    def write(
        self,
        who: str,
        name: str,
        known: list[tuple[str, str]],
        at: int,
        type: str,
        data: Mapping[str, Any],
        says: str = "",
        *,
        malformed: bool = False,
    ) -> StoryEvent:
        self._number += 1
        department = type.partition(".")[0]
        dated = {name: self._date(value) for name, value in data.items()}
        identifiers = [{"type": kind, "value": _of_run(kind, value, self._suffix)} for kind, value in known]
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{self._number:04}{self._suffix and '-'}{self._suffix}",
            "source": f"/lampshop/{department}",
            "type": type,
            "time": rfc3339(at),
            "datacontenttype": "application/json",
            "data": {"customer": {"identifiers": identifiers, "name": name}, **dated},
        }
        uid = None if malformed else event_uid(event["source"], event["id"])
        return StoryEvent(department, who, at, orjson.dumps(event), uid, says)

    def _date(self, value: Any) -> Any:
        """``{day: -2}`` is the date of two days ago."""
        return rfc3339(self._now + value["day"] * DAY)[:10] if isinstance(value, dict) else value


def _ordinary(writer: _Writer) -> Iterator[StoryEvent]:
    """Orders, invoices and payments of the three weeks before the day; nobody contacts these customers.

    The orders are spread over 440 hours by steps of 11 and 131 hours; the numbers have no other meaning.
    """
    for index in range(len(FIRST_NAMES) * len(LAST_NAMES)):
        name = f"{FIRST_NAMES[index % 6]} {LAST_NAMES[index // 6]}"
        number = f"C-{2001 + index}"
        for order in range(1 + index % 3):
            ordered = 500 * HOUR - (index * 11 + order * 131) % 440 * HOUR
            invoice = f"I-{8000 + index * 3 + order}"
            sum_due = {"total": f"{19 + (index * 13 + order * 29) % 180}.90", "currency": "GBP"}
            if order == 0 and index % 4 == 0:
                page = {"url": "https://shop.example.com/lamps", "pageType": "product"}
                yield writer.ordinary(name, number, ordered + HOUR, "web.page.viewed.v1", page)
            bought = {"orderId": f"O-{8000 + index * 3 + order}", **sum_due}
            yield writer.ordinary(name, number, ordered, "sales.order.completed.v1", bought)
            issued = {"invoiceId": invoice, **sum_due, "dueDate": {"day": 14 - ordered // DAY}}
            yield writer.ordinary(name, number, ordered - HOUR, "finance.invoice.issued.v1", issued)
            paid = {"paymentId": f"P-{8000 + index * 3 + order}", "invoiceId": invoice, **sum_due}
            yield writer.ordinary(name, number, ordered - 30 * HOUR, "finance.payment.received.v1", paid)


def _offset(text: str) -> int:
    """An offset such as ``-14h55m`` in µs."""
    parts = re.findall(r"(\d+)([dhm])", text)
    return -sum(int(count) * _UNITS[unit] for count, unit in parts)


def _of_run(kind: str, value: str, suffix: str) -> str:
    """The identifier in the run ``suffix``, so that two runs on one bus have different customers.

    There are too few telephone numbers reserved for fiction, so a run adds an extension of its own.
    """
    if not suffix:
        return value
    if kind == "email":
        local, _, domain = value.partition("@")
        return f"{local}.{suffix}@{domain}"
    if kind == "phone":
        return f"{value} ext. {int(hashlib.sha256(suffix.encode()).hexdigest(), 16) % 10**9:09}"
    return f"{value}-{suffix}"
