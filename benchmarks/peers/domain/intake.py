"""Checking what a department published, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from .vocabulary import JSON, KINDS, micros


class Dead(NamedTuple):
    """Why an event can't be used."""

    reason: str
    message: str


class Routed(NamedTuple):
    """A good event as one JSON text, and whose it is."""

    customer: str
    event: bytes


def accept(value: bytes | None, headers: Iterable[tuple[str, bytes]] | None) -> Routed | Dead:
    """Checks a department's record, structured or binary CloudEvent, and finds its customer."""
    if value is None:
        return Dead("not-json", "the record has no value")
    for name, _ in headers or ():
        if name == "ce_specversion":
            value = _structured(value, headers or ())
            break
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as failure:
        return Dead("not-json", str(failure))
    try:
        if event["specversion"] != "1.0":
            return Dead("not-cloudevents", "specversion is not 1.0")
        for name in ("id", "source", "type"):
            text = event[name]
            if type(text) is not str or not text:
                return Dead("not-cloudevents", f"{name} is no text")
        micros(event["time"])
        data = event["data"]
    except (KeyError, TypeError, ValueError) as failure:
        return Dead("not-cloudevents", repr(failure))
    kind = KINDS.get(event["type"])
    if kind is None:
        return Dead("unknown-type", event["type"])
    if type(data) is not dict:
        return Dead("invalid-data", "data is no object")
    for name, good in kind.required:
        if not good(data.get(name)):
            return Dead("invalid-data", f"data.{name} is missing or wrong")
    for name, good in kind.optional:
        given = data.get(name)
        if given is not None and not good(given):
            return Dead("invalid-data", f"data.{name} is wrong")
    if kind.whole is not None and not kind.whole(data):
        return Dead("invalid-data", "the fields of data contradict each other")
    try:
        customer = _customer(data["customer"]["identifiers"])
    except (KeyError, TypeError):
        return Dead("invalid-data", "data.customer.identifiers is missing or wrong")
    if customer is None:
        return Dead("no-identifier", "no customer_no among data.customer.identifiers")
    return Routed(customer, value)


def letter(value: bytes | None, dead: Dead) -> bytes:
    """The dead letter of a record, as JSON text."""
    text = value.decode(errors="replace") if value is not None else None
    return orjson.dumps({"reason": dead.reason, "message": dead.message, "value": text})


def _structured(value: bytes, headers: Iterable[tuple[str, bytes]]) -> bytes:
    attributes = {name[3:]: text.decode(errors="replace") for name, text in headers if name.startswith("ce_")}
    return orjson.dumps(attributes)[:-1] + b',"data":' + value + b"}"


def _customer(identifiers: list[JSON]) -> str | None:
    """Raises KeyError, TypeError."""
    found = None
    if type(identifiers) is not list or not identifiers:
        raise TypeError("no list")
    for identifier in identifiers:
        kind, value = identifier["type"], identifier["value"]
        if type(kind) is not str or type(value) is not str:
            raise TypeError("no text")
        if kind == "customer_no" and value and found is None:
            found = value.upper()
    return found
