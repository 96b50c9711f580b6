"""What no bus should choke on: records that are no good in every way, and good ones that look as if they were not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from core.timeline.entry import DAY
from schemas import instant
from schemas.topics import events_topic

from .business import Fields, Sent, cloud_event

KIND, SOURCE = "sales.order.completed.v1", "/sales/poison"
TOPIC = events_topic("sales")


def poison(seed: int, count: int, now: int, batch: int = 0) -> list[Sent]:
    """``count`` records, of every kind the same number. ``now`` in µs. Those of another ``batch`` have other ids."""
    chance = random.Random(seed)
    ways = [*_bytes(), *_events(now), *_strange()]
    return [ways[number % len(ways)](f"p{batch}-{number}", now - chance.randrange(DAY)) for number in range(count)]


def sprinkled(sent: Sequence[Sent], among: Sequence[Sent], seed: int) -> list[Sent]:
    """``sent`` in its order, with ``among`` in their order at random places in it."""
    chance = random.Random(seed)
    places = sorted(chance.randrange(len(sent) + 1) for _ in among)
    mixed: list[Sent] = []
    begin = 0
    for place, one in zip(places, among, strict=True):
        mixed += [*sent[begin:place], one]
        begin = place
    return [*mixed, *sent[begin:]]


Way = Callable[[str, int], Sent]


def _order(name: str, **more: Any) -> Fields:
    customer = {"identifiers": [{"type": "customer_no", "value": f"C-{name}"}]}
    return {"customer": customer, "orderId": name, "total": "1.00", "currency": "EUR", **more}


def _bytes() -> Iterator[Way]:
    """Values that are no JSON, or no event."""

    def way(reason: str, value: Callable[[bytes], bytes]) -> Way:
        return lambda name, _: Sent(TOPIC, name.encode(), value(name.encode()), reason=reason)

    yield way("not-json", lambda name: b"\x00\xff\xfe" + name)
    yield way("not-json", lambda name: b'{"cut": "off by ' + name)
    yield way("not-json", lambda name: b'{"lone": "\\ud800 %s"}' % name)
    yield way("not-json", lambda name: b'"' + name + b'\xed\xa0\x80"')
    yield way("not-json", lambda name: b"[" * 5_000 + name + b"]" * 5_000)
    yield way("not-cloudevents", lambda name: b'["%s"]' % name)
    yield way("not-cloudevents", lambda name: orjson.dumps({"id": name.decode(), "specversion": "1.0", "type": KIND}))


def _events(now: int) -> Iterator[Way]:
    """CloudEvents that can't be used."""

    def way(reason: str, more: Callable[[str], Fields], kind: str = KIND, ahead: int = 0) -> Way:
        def make(name: str, at: int) -> Sent:
            moment = now + ahead if ahead else at
            return Sent(TOPIC, name.encode(), cloud_event(kind, SOURCE, name, moment, more(name)), reason=reason)

        return make

    yield way("invalid-data", lambda name: _order(name, note="a NUL: \x00"))
    yield way("invalid-data", lambda name: _order(name, note=_nested(100)))
    yield way("invalid-data", lambda name: _order(name, total=1e300))
    yield way("too-large", lambda name: _order(name, note="x" * 300 * 1024))
    yield way("time-in-future", _order, ahead=3 * DAY)
    yield way("time-in-future", _order, ahead=7_000 * 365 * DAY)
    yield way("wrong-topic", lambda name: {**_order(name), "caseId": name}, kind="service.case.resolved.v1")
    yield way("unknown-type", _order, kind="sales.order.\u202ecompleted.v1")
    yield way("unknown-type", _order, kind="")


def _strange() -> Iterator[Way]:
    """Good events with every script in them, and all that a string may hold."""

    def way(text: str) -> Way:
        def make(name: str, at: int) -> Sent:
            data = _order(name, note=text)
            data["customer"]["name"] = text
            return Sent(TOPIC, name.encode(), cloud_event(KIND, SOURCE, name, at, data))

        return make

    yield way("شركة الأمل \u202e backwards \u202c ")
    yield way("\U0001f9d1\u200d\U0001f680 \U00020bb7 \U0010fffd")
    yield way("e\u0301 \ufeff \u2028 \\ \" ' ; -- </script> {{7*7}} ${jndi}")

    def long_fraction(name: str, at: int) -> Sent:
        moment = instant.render(at)[:19] + ".123456789Z"
        event = {"specversion": "1.0", "id": name, "source": SOURCE, "type": KIND, "time": moment, "data": _order(name)}
        return Sent(TOPIC, name.encode(), orjson.dumps(event))

    yield long_fraction


def _nested(depth: int) -> Any:
    inner: Any = "deep"
    for _ in range(depth):
        inner = {"in": inner}
    return inner
