"""A company's business of six days, made from a seed: what the departments publish, in the order in which they do.

Mostly in order per customer; some customers' events come late, some events twice, some are no good, some take the id
of another, and some customers turn out to be one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from core.timeline.entry import DAY, HOUR
from schemas import instant
from schemas.topics import events_topic

Headers = tuple[tuple[str, bytes], ...]
Fields = dict[str, Any]

STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
SPAN = 6 * DAY
MINUTE = HOUR // 60
VISIT = 4
"""So many events in a row come from one department, on average."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What goes wrong in a business.

    Of all events: ``copied`` are sent twice, of ``reused`` the id is taken again with other content, ``bad`` are no
    good. Of all customers: ``merging`` are two or three that turn out to be one, ``slow`` ones have late events, a
    share of ``delayed``. So many ``heavy`` merging customers have ``heavy_share`` of all events each: their past moves
    in several parts.
    """

    copied: float = 0.0
    reused: float = 0.0
    bad: float = 0.0
    merging: float = 0.0
    slow: float = 0.0
    delayed: float = 0.0
    heavy: int = 0
    heavy_share: float = 0.0


ROUGH = Habits(copied=0.05, reused=0.003, bad=0.005, merging=0.08, slow=0.15, delayed=0.2, heavy=2, heavy_share=0.013)
CALM = Habits()


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as a department publishes it. ``reason``: why the bus must bury it, if it must."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = STRUCTURED
    reason: str | None = None


def business(
    seed: int, events: int, customers: int, now: int, habits: Habits = ROUGH, first_number: int = 0
) -> list[Sent]:
    """About ``events`` records of ``customers`` people, in the order of publication. ``now`` in µs.

    People are numbered from ``first_number`` on: those of other numbers are others.
    """
    chance = random.Random(seed)
    people = [
        Person(first_number + index, random.Random(chance.random()), now - SPAN, habits, heavy=index < habits.heavy)
        for index in range(customers)
    ]
    wanted = events / (1 + habits.copied + habits.reused + habits.bad)
    weights = [person.weight for person in people]
    unit = wanted * (1 - habits.heavy * habits.heavy_share) / sum(weights)
    planned: list[tuple[float, int, Sent]] = []
    for person, weight in zip(people, weights, strict=True):
        count = round(wanted * habits.heavy_share) if person.heavy else max(2, round(weight * unit))
        planned += ((moment, len(planned), sent) for moment, sent in person.published(count))
    first, last = now - SPAN, now
    for number in range(round(events * habits.bad)):
        bad = _bad(first_number + number, chance, now)
        planned.append((chance.uniform(first, last), len(planned) + number, bad))
    return [sent for _, _, sent in sorted(planned, key=lambda one: one[:2])]


def cloud_event(kind: str, source: str, event_id: str, at: int, data: Fields) -> bytes:
    """A structured CloudEvent. ``at`` in µs."""
    envelope = {"specversion": "1.0", "id": event_id, "source": source, "type": kind, "time": instant.render(at)}
    return orjson.dumps({**envelope, "datacontenttype": "application/json", "data": data})


class Person:
    """One customer, and what he, she or the company has open."""

    def __init__(self, number: int, chance: random.Random, first: int, habits: Habits, *, heavy: bool) -> None:
        self.number = number
        self.chance = chance
        self.habits = habits
        self.heavy = heavy
        self.merging = self.heavy or chance.random() < habits.merging
        self.slow = not self.heavy and chance.random() < habits.slow
        self.weight = 0.0 if self.heavy else chance.uniform(0.4, 1.6)
        self._first = first
        self._faces = self._known_as()
        self._made = 0
        self._cases: list[str] = []
        self._solved: str | None = None
        self._unpaid: dict[str, str] = {}
        self._opportunities: list[str] = []

    def _known_as(self) -> list[list[tuple[str, str]]]:
        """Sets of identifiers; who has more than one is taken for several customers until they are linked."""
        number = self.number
        customer_no = ("customer_no", f"C-{number:06d}")
        email = ("email", f"person{number}@example.com")
        if not self.merging:
            return [[customer_no]] if number % 4 else [[customer_no, email]]
        phone = ("phone", f"+1{201 + number // 10_000:03d}555{number % 10_000:04d}")
        faces = [[customer_no], [email, phone]]
        return [*faces, [("login", f"person-{number}")]] if number % 3 == 0 else faces

    def published(self, count: int) -> Iterator[tuple[float, Sent]]:
        """Every record with its moment of publication."""
        chance = self.chance
        linking = {count // 2 + round(count * 0.3 * part): part for part in range(len(self._faces) - 1)}
        for index, (exact, department) in enumerate(self._visits(count)):
            at = int(exact) if chance.random() < 0.7 else int(exact) // MINUTE * MINUTE
            face = chance.choice(self._faces)
            if index in linking:
                part = linking[index]
                face = [*self._faces[part], *self._faces[part + 1]]
            kind, data = self._next(department, at)
            data["customer"] = self._customer(face)
            if index % 9 == 0:
                data["customer"]["name"] = f"Person {self.number}"
            moment = exact
            if self.slow and chance.random() < self.habits.delayed:
                moment += chance.uniform(10 * MINUTE, 36 * HOUR)
            yield from self._sent(moment, kind, at, data)

    def _visits(self, count: int) -> Iterator[tuple[float, str]]:
        """Instants with the department of each. People deal with one department for a while, then with another."""
        visits = max(1, round(count / VISIT))
        step = SPAN / visits
        kinds = QUIET if self.heavy else LIVELY
        weights = [sum(weight for _, weight in makes) for makes in kinds.values()]
        for visit in range(visits):
            begin = self._first + step * (visit + self.chance.uniform(0, 0.5))
            (department,) = self.chance.choices(list(kinds), weights)
            size = count * (visit + 1) // visits - count * visit // visits
            for late in sorted(self.chance.uniform(0, min(2 * HOUR, 0.4 * step)) for _ in range(size)):
                yield begin + late, department

    def _sent(self, moment: float, kind: str, at: int, data: Fields) -> Iterator[tuple[float, Sent]]:
        department = kind.split(".")[0]
        self._made += 1
        event_id = f"{self.number}-{self._made}"
        yield moment, self._record(department, kind, event_id, at, data)
        if self.chance.random() < self.habits.copied:
            yield moment + self.chance.uniform(0, 12 * HOUR), self._record(department, kind, event_id, at, data)
        if self.chance.random() < self.habits.reused:
            other = {**data, "remark": "another matter", "customer": self._customer(self.chance.choice(self._faces))}
            yield moment + self.chance.uniform(0, 12 * HOUR), self._record(department, kind, event_id, at, other)

    def _record(self, department: str, kind: str, event_id: str, at: int, data: Fields) -> Sent:
        source = f"/{department}/system"
        key = b"%d" % self.number
        topic = events_topic(department)
        if department != "service":
            return Sent(topic, key, cloud_event(kind, source, event_id, at, data))
        attributes = {"specversion": "1.0", "id": event_id, "source": source, "type": kind, "time": instant.render(at)}
        headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
        return Sent(topic, key, orjson.dumps(data), (*headers, ("content-type", b"application/json")))

    def _customer(self, face: list[tuple[str, str]]) -> Fields:
        return {"identifiers": [{"type": kind, "value": self._spelled(kind, value)} for kind, value in face]}

    def _spelled(self, kind: str, value: str) -> str:
        if kind == "email" and self.chance.random() < 0.3:
            return value.replace("person", "Person")
        if kind == "phone" and self.chance.random() < 0.3:
            return f"{value[:2]} {value[2:5]} {value[5:]}"
        return value

    # --- what happens -----------------------------------------------------------------------------------------------

    def _next(self, department: str, at: int) -> tuple[str, Fields]:
        kinds = (QUIET if self.heavy else LIVELY)[department]
        make = self.chance.choices([make for make, _ in kinds], [weight for _, weight in kinds])[0]
        return make(self, at)

    def _new(self, letter: str) -> str:
        return f"{letter}{self.number}-{self._made}"

    def page(self, at: int) -> tuple[str, Fields]:
        page = self.chance.choice(["pricing", "product", "reviews", "help"])
        return "web.page.viewed.v1", {"url": f"https://shop.example/{page}", "pageType": page}

    def search(self, at: int) -> tuple[str, Fields]:
        return "web.search.performed.v1", {"query": "desk lamp", "results": self.chance.randrange(40)}

    def download(self, at: int) -> tuple[str, Fields]:
        return "web.content.downloaded.v1", {"contentId": self._new("D")}

    def cart(self, at: int) -> tuple[str, Fields]:
        return "web.cart.abandoned.v1", {"cartId": self._new("CT"), "total": "59.80", "currency": "EUR"}

    def campaign(self, at: int) -> tuple[str, Fields]:
        data: Fields = {"campaignId": f"S{self.chance.randrange(40)}", "channel": "email", "messageId": self._new("M")}
        purpose = self.chance.choice([None, None, "promotion", "survey", "service"])
        return "marketing.campaign.sent.v1", data if purpose is None else {**data, "purpose": purpose}

    def opened_mail(self, at: int) -> tuple[str, Fields]:
        return "marketing.email.opened.v1", {"messageId": self._new("M")}

    def clicked(self, at: int) -> tuple[str, Fields]:
        return "marketing.email.clicked.v1", {"messageId": self._new("M"), "url": "https://shop.example/spring"}

    def unsubscribed(self, at: int) -> tuple[str, Fields]:
        return "marketing.email.unsubscribed.v1", {"listId": "news"}

    def consent(self, at: int) -> tuple[str, Fields]:
        status = self.chance.choice(["granted", "revoked"])
        return "marketing.consent.changed.v1", {"channel": "email", "purpose": "promotion", "status": status}

    def call(self, at: int) -> tuple[str, Fields]:
        direction = self.chance.choice(["outbound", "outbound", "inbound"])
        outcome = self.chance.choice(["answered", "voicemail", "no_answer", "busy"])
        return "sales.call.completed.v1", {"callId": self._new("L"), "direction": direction, "outcome": outcome}

    def order(self, at: int) -> tuple[str, Fields]:
        total = f"{self.chance.randrange(10, 900)}.90"
        return "sales.order.completed.v1", {"orderId": self._new("O"), "total": total, "currency": "EUR"}

    def opportunity(self, at: int) -> tuple[str, Fields]:
        if self._opportunities and self.chance.random() < 0.5:
            chosen = self._opportunities.pop()
            stage = self.chance.choice(["won", "lost"])
            return "sales.opportunity.stage_changed.v1", {"opportunityId": chosen, "stage": stage}
        self._opportunities.append(self._new("OP"))
        return "sales.opportunity.created.v1", {"opportunityId": self._opportunities[-1], "stage": "qualified"}

    def case(self, at: int) -> tuple[str, Fields]:
        if self._cases and self.chance.random() < 0.8:
            return self.solution(at)
        self._cases.append(self._new("K"))
        category = self.chance.choice(["complaint", "billing", "question"])
        return "service.case.opened.v1", {"caseId": self._cases[-1], "category": category, "priority": "normal"}

    def solution(self, at: int) -> tuple[str, Fields]:
        if not self._cases:
            return self.conversation(at)
        self._solved = self._cases.pop(self.chance.randrange(len(self._cases)))
        return "service.case.resolved.v1", {"caseId": self._solved}

    def escalation(self, at: int) -> tuple[str, Fields]:
        if not self._cases:
            return self.conversation(at)
        return "service.case.escalated.v1", {"caseId": self._cases[0], "level": 2}

    def feedback(self, at: int) -> tuple[str, Fields]:
        metric, value = self.chance.choice([("csat", 5), ("csat", 4.5), ("csat", 2), ("nps", 10), ("nps", 6)])
        data: Fields = {"metric": metric, "value": value}
        if self._solved is not None and self.chance.random() < 0.8:
            data["caseId"] = self._solved
        return "service.feedback.submitted.v1", data

    def conversation(self, at: int) -> tuple[str, Fields]:
        data: Fields = {"conversationId": self._new("CV"), "channel": "chat"}
        direction = self.chance.choice([None, "inbound", "outbound"])
        return "service.conversation.ended.v1", data if direction is None else {**data, "direction": direction}

    def invoice(self, at: int) -> tuple[str, Fields]:
        name, total = self._new("I"), f"{self.chance.randrange(10, 900)}.00"
        self._unpaid[name] = total
        due = instant.render(at + self.chance.randrange(-2, 3) * DAY)[:10]
        return "finance.invoice.issued.v1", {"invoiceId": name, "total": total, "currency": "EUR", "dueDate": due}

    def overdue(self, at: int) -> tuple[str, Fields]:
        if not self._unpaid:
            return self.invoice(at)
        name = self.chance.choice(list(self._unpaid))
        data: Fields = {"invoiceId": name, "total": self._unpaid[name], "currency": "EUR", "daysOverdue": 1}
        return "finance.invoice.overdue.v1", {**data, "dueDate": instant.render(at - DAY)[:10]}

    def dunning(self, at: int) -> tuple[str, Fields]:
        if not self._unpaid:
            return self.invoice(at)
        return "finance.dunning.sent.v1", {"invoiceId": self.chance.choice(list(self._unpaid)), "level": 1}

    def payment(self, at: int) -> tuple[str, Fields]:
        if not self._unpaid:
            return self.invoice(at)
        name = self.chance.choice(list(self._unpaid))
        total = self._unpaid.pop(name)
        data: Fields = {"paymentId": self._new("P"), "invoiceId": name, "total": total, "currency": "EUR"}
        return "finance.payment.received.v1", data

    def declined(self, at: int) -> tuple[str, Fields]:
        return "finance.payment.declined.v1", {"invoiceId": next(iter(self._unpaid), "I0")}

    def mention(self, at: int) -> tuple[str, Fields]:
        return "social.mention.posted.v1", {"network": "mastodon", "sentiment": self.chance.choice([-0.6, 0.1, 0.8])}

    def review(self, at: int) -> tuple[str, Fields]:
        return "social.review.posted.v1", {"site": "reviews.example", "rating": self.chance.choice([1, 3, 5])}


Make = Callable[[Person, int], tuple[str, Fields]]

LIVELY: Mapping[str, tuple[tuple[Make, float], ...]] = {
    "web": ((Person.page, 20), (Person.search, 4), (Person.download, 2), (Person.cart, 2)),
    "marketing": (
        (Person.campaign, 13),
        (Person.opened_mail, 8),
        (Person.clicked, 2),
        (Person.unsubscribed, 0.5),
        (Person.consent, 0.5),
    ),
    "sales": ((Person.call, 8), (Person.order, 4), (Person.opportunity, 3)),
    "service": (
        (Person.case, 9),
        (Person.solution, 2),
        (Person.escalation, 1),
        (Person.feedback, 5),
        (Person.conversation, 4),
    ),
    "finance": (
        (Person.invoice, 4),
        (Person.overdue, 2),
        (Person.dunning, 4),
        (Person.payment, 4),
        (Person.declined, 1),
    ),
    "social": ((Person.mention, 1), (Person.review, 1)),
}
QUIET: Mapping[str, tuple[tuple[Make, float], ...]] = {"web": ((Person.page, 60), (Person.search, 40))}
"""One department, so that a long history is seldom out of order: judging it again takes long."""


def _bad(number: int, chance: random.Random, now: int) -> Sent:
    """An event that must be buried, each time of another kind."""
    data: Fields = {"customer": {"identifiers": [{"type": "customer_no", "value": f"C-{number:06d}"}]}}
    order: Fields = {**data, "orderId": f"bad-{number}", "total": "1.00", "currency": "EUR"}
    guest: Fields = {**order, "customer": {"identifiers": [{"type": "login", "value": "guest"}]}}
    kind, source, event_id = "sales.order.completed.v1", "/sales/broken", str(number)
    at = now - chance.randrange(SPAN)
    ways: list[tuple[str, bytes]] = [
        ("not-json", b'{"number": %d' % number),
        ("not-cloudevents", orjson.dumps({"type": kind, "number": number, "data": order})),
        ("unknown-type", cloud_event("sales.order.complete.v1", source, event_id, at, order)),
        ("wrong-topic", cloud_event("service.case.resolved.v1", source, event_id, at, {**data, "caseId": "K"})),
        ("invalid-data", cloud_event(kind, source, event_id, at, {**order, "total": 1.0})),
        ("no-identifier", cloud_event(kind, source, event_id, at, guest)),
        ("time-in-future", cloud_event(kind, source, event_id, now + 30 * DAY, order)),
        ("too-large", cloud_event(kind, source, event_id, at, {**order, "note": "x" * 270_000})),
    ]
    reason, value = ways[number % len(ways)] if number % 80 < 8 else ways[number % (len(ways) - 1)]
    return Sent(events_topic("sales"), b"bad-%d" % number, value, reason=reason)


def must_be_buried(sent: Iterable[Sent]) -> dict[bytes, str]:
    """Values with the reason for which the bus must refuse them."""
    return {one.value: one.reason for one in sent if one.reason is not None}
