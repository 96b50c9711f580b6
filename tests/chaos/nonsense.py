"""All that a department can get wrong, kind by kind: records that must be buried, each with its reason.

And some that look odd and are good. ``poison`` is a handful of it, for any load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from core.timeline.entry import DAY, HOUR
from schemas import instant

from .business import STRUCTURED, Fields, Headers, Sent
from .poison import KIND, SOURCE, TOPIC

KIB = 1024
OVERSIZED = 10 * KIB * KIB
"""More than the broker takes."""
JSON: Headers = (("content-type", b"application/json"),)
NO_TIMES = (
    *("", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T24:00:01Z", "2026-02-30T00:00:00Z"),
    *("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-06-30T23:59:60Z", "٢٠٢٦-01-01T00:00:00Z"),
)
RTL, WIDE = "\u202eמזל טוב العميل", "👩‍🚀𝔘𠜎"


def customer(number: int) -> Fields:
    """Who it is about."""
    return {"identifiers": [{"type": "customer_no", "value": f"P-{number:06d}"}]}


def order(number: int, **fields: Any) -> Fields:
    """Good data."""
    return {"customer": customer(number), "orderId": f"P{number}", "total": "1.00", "currency": "EUR", **fields}


def event(number: int, at: int, data: Any, **attributes: Any) -> bytes:
    """A structured event; an attribute that is None is left out. ``at`` in µs."""
    envelope = {"specversion": "1.0", "id": f"p{number}", "source": SOURCE, "type": KIND, "time": instant.render(at)}
    kept = {name: value for name, value in {**envelope, **attributes}.items() if value is not None}
    return orjson.dumps({**kept, "data": data})


def nonsense(now: int, rounds: int, large: int) -> list[Sent]:
    """``rounds`` of every kind, of the large kinds only ``large``. ``now`` in µs. Every value tells its kind."""
    found: list[Sent] = []
    for number in range(rounds):
        found += _structured(number, now - HOUR - number)
        found += _binary(number, now - HOUR - number)
        if number < large:
            found += _large(number, now - HOUR)
    return found


def oversized(now: int) -> Sent:
    """What the broker must refuse."""
    return Sent(TOPIC, b"", event(0, now, order(0, note="x" * OVERSIZED)))


def _structured(n: int, at: int) -> Iterator[Sent]:
    good = event(n, at, order(n))

    def bad(reason: str, value: bytes, headers: Headers = STRUCTURED) -> Sent:
        return Sent(TOPIC, b"poison-%d" % n, value, headers, reason)

    def placed(text: bytes) -> bytes:
        """Good, but for one value, which stands in the JSON as it is."""
        return event(n, at, order(n, note="HERE")).replace(b'"HERE"', text)

    # not JSON
    yield bad("not-json", b"")
    yield bad("not-json", b"", ())
    for value in (good[:-1], b"\0" * (n + 1), b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), good + good):
        yield bad("not-json", value)
    yield bad("not-json", b"\x1f\x8b\x08\x00" + good)
    yield bad("not-json", b"<event number='%d'/>" % n)
    for raw in (b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"a\0b"', b"NaN", b"-Infinity"):
        yield bad("not-json", placed(raw))
    for raw in (b"1e999", b"-1e999", b"7" * 400, b"01", b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5_000):
        yield bad("not-json", placed(raw))
    # no CloudEvent
    for value in (b"null", b"true", b"%d" % n, b'"%d"' % n, b"[]", b"[%s]" % good, b"{}", b'{"number":%d}' % n):
        yield bad("not-cloudevents", value)
    for name in ("specversion", "id", "source", "type", "time"):
        yield bad("not-cloudevents", event(n, at, order(n), **{name: None}))
        yield bad("not-cloudevents", event(n, at, order(n), **{name: n}))
        yield bad("not-cloudevents", event(n, at, order(n), **{name: {"deep": [n]}}))
    for name in ("id", "source"):
        for text in ("", "x" * 513, f"{n}\0", f"{n}\n", f"{n}\x85"):
            yield bad("not-cloudevents", event(n, at, order(n), **{name: text}))
    yield bad("not-cloudevents", event(n, at, order(n), specversion="0.3"))
    yield bad("not-cloudevents", event(n, at, order(n), subject=["a"]))
    for text in NO_TIMES:
        yield bad("not-cloudevents", event(n, at, order(n), time=text))
    # a good envelope
    yield bad("time-in-future", event(n, at, order(n), time="9999-12-31T23:59:59.999999Z"))
    yield bad("time-in-future", event(n, at + 3 * DAY, order(n)))
    for text in ("", "sales.order.complete.v1", "sales.order.completed.v99", RTL, WIDE, f"x.{n}", "__proto__"):
        yield bad("unknown-type", event(n, at, order(n), type=text))
    yield bad("wrong-topic", event(n, at, {"customer": customer(n), "caseId": "K"}, type="service.case.resolved.v1"))
    no_objects: list[Any] = [None, [], "text", n, True]
    for data in no_objects:
        yield bad("invalid-data", event(n, at, data))
    yield bad("invalid-data", event(n, at, None).replace(b'"data":null', b'"data_base64":"e30="'))
    for total in (1.0, "1e5", "١٢٣", "", None, "9" * 400, ["1.00"]):
        yield bad("invalid-data", event(n, at, order(n, total=total)))
    for fields in ({"currency": "???"}, {"orderId": ""}, {"orderId": "x" * 257}, {"items": {"a": 1}}, {"items": [1]}):
        yield bad("invalid-data", event(n, at, order(n, **fields)))
    for note in ("a\0b", {"a\0": 1}):
        yield bad("invalid-data", event(n, at, order(n, note=note)))
    yield bad("invalid-data", placed(b"[" * 300 + b"]" * 300))
    no_customers: list[Any] = [None, n, [], {}, {"identifiers": None}, {"identifiers": {}}, {"identifiers": [n]}]
    for known in no_customers:
        yield bad("invalid-data", event(n, at, order(n, customer=known)))
    many = [{"type": "login", "value": f"{n}-{one}"} for one in range(1000)]
    for odd in (many, [{"type": "login"}], [{"type": "", "value": "a"}], [{"type": "login", "value": "x" * 513}]):
        yield bad("invalid-data", event(n, at, order(n, customer={"identifiers": odd})))
    for nobody in ([], [{"type": "login", "value": "guest"}], [{"type": "email", "value": RTL}]):
        yield bad("no-identifier", event(n, at, order(n, customer={"identifiers": nobody})))
    answer = {"alertId": f"a_{n}", "customerId": "c_nobody", "department": "sales", "by": "rep-3"}
    yield bad("invalid-data", event(n, at, answer, type="bus.alert.acknowledged.v1"))
    yield bad("wrong-topic", event(n, at, {**answer, "department": "web"}, type="bus.alert.acknowledged.v1"))
    forged = (("__cxbus.errors.topic", b"cx.web.events.v1"), ("__cxbus.errors.offset", b"no number"))
    yield bad("not-json", b"forged %d" % n, forged)


def _binary(n: int, at: int) -> Iterator[Sent]:
    named = {"specversion": "1.0", "id": f"b{n}", "source": SOURCE, "type": KIND, "time": instant.render(at)}
    whole: Headers = tuple((f"ce_{name}", text.encode()) for name, text in named.items())

    def bad(reason: str, way: str, *headers: tuple[str, bytes], data: bytes | None = None) -> Sent:
        """The value is good by itself and tells the way: it is the headers that are wrong."""
        value = orjson.dumps(order(n, way=way)) if data is None else data
        return Sent(TOPIC, b"", value, (*headers, *JSON), reason)

    for left_out in named:
        kept = [(name, text) for name, text in whole if name != f"ce_{left_out}"]
        yield bad("not-cloudevents", f"without {left_out}", *kept)
        yield bad("not-cloudevents", f"{left_out} is no UTF-8", *kept, (f"ce_{left_out}", b"\xff%d" % n))
        yield bad("not-cloudevents", f"{left_out} twice", *whole, (f"CE_{left_out.upper()}", b"other"))
        if left_out != "type":
            yield bad("not-cloudevents", f"{left_out} empty", *kept, (f"ce_{left_out}", b""))
    yield bad("not-cloudevents", "no header")
    yield bad("not-cloudevents", "only data", ("ce_data", b"{}"))
    avro: Headers = (*whole, ("content-type", b"application/cloudevents+avro"))
    yield Sent(TOPIC, b"", orjson.dumps(order(n, way="avro")), avro, "not-cloudevents")
    yield bad("not-json", "", *whole, data=b"not json %d" % n)
    yield bad("not-json", "", *whole, data=b'{"a": "\\ud800%d"}' % n)
    yield bad("invalid-data", "", *whole, data=b"[[%d]]" % n)


def _large(n: int, at: int) -> Iterator[Sent]:
    for size in (300 * KIB, 1000 * KIB):
        yield Sent(TOPIC, b"", event(n, at, order(n, note="x" * size)), STRUCTURED, "too-large")
    yield Sent(TOPIC, b"", b"x" * 300 * KIB + b"%d" % n, STRUCTURED, "too-large")


def odd_but_good(now: int, count: int) -> Iterator[Sent]:
    """Nothing is wrong with these, though they look it. ``now`` in µs."""
    for n in range(count):
        at = now - HOUR - n
        yield _good(
            event(n, at, order(n, note=RTL, customer={**customer(n), "name": f"{RTL} {WIDE}"}), id=f"{WIDE}{n}")
        )
        yield _good(event(n, at, order(n), id=f"twice{n}").replace(b'"total":"1.00"', b'"total":1,"total":"1.00"'))
        yield _good(event(n, at, order(n), id=f"fine{n}", time="2026-01-01T10:00:00.12345678901234567890+14:00"))
        yield _good(event(n, at, order(n, size=1e308, long=2**63, __proto__={"a": 1}), id=f"numbers{n}"))
        many = [{"type": "login", "value": f"many-{n}-{one}"} for one in range(100)]
        yield _good(event(n, at, order(n, customer={"identifiers": many}), id=f"many{n}"))
        odd = (("", b""), ("x-\u2603", b"\xff\x00"), ("x" * 1000, b"y" * 1000), ("traceparent", b"no trace"))
        yield _good(event(n, at, order(n), id=f"headers{n}"), odd)
        yield from _taken_along(n, at)


def _taken_along(n: int, at: int) -> Iterator[Sent]:
    """Of a customer who is merged into another one: what is odd about these goes along."""
    older, younger = ({"type": "login", "value": f"{who}-{n}"} for who in ("older", "younger"))
    yield _good(event(n, at, order(n, customer={"identifiers": [older]}), id=f"older{n}"))
    for number, twice in enumerate((b'"time":0,"time":', b'"time":"","t\\u0069me":', b'"time":{"a":[]},"time":')):
        odd = event(n, at, order(n, customer={"identifiers": [younger]}), id=f"along{n}-{number}")
        yield _good(odd.replace(b'"time":', twice, 1))
    yield _good(event(n, at, order(n, customer={"identifiers": [older, younger]}), id=f"both{n}"))


def _good(value: bytes, more: Headers = ()) -> Sent:
    return Sent(TOPIC, b"\xff\0key", value, (*STRUCTURED, *more))
