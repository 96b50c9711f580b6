"""From a record of a department's topic to a checked event, and back. The hot path of intake.

A usual event is decoded and checked in one pass (``one_pass``). Any other takes the slow path: its bytes are parsed,
the envelope is checked by hand, and ``data`` is validated by the contract of its type. Whatever is wrong is returned as
a value, ``Refusal``: no bytes raise an exception.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
import orjson
from pydantic import ValidationError

from . import instant
from .contract import Contract
from .decoded import MAX_BYTES, Decoded
from .envelope import PLAIN, Headers, binary_attributes, check, join, misspelt
from .one_pass import decoders, has_undeclared, odd, visible
from .refusal import Reason, Refusal, found, kind, printable, quoted, refused_data
from .registry import Registry

__all__ = ["MAX_BYTES", "Codec", "Decoded"]

_MAX_DEPTH = 64  # JSON encoders give up at about 250 levels, and the bus adds levels around events
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_ALL_BUT_BRACKETS = bytes.maketrans(b"{}", b"[]"), bytes(set(range(256)) - set(b"[]{}"))

PASSED_OVER = 50
"""How many events of a department take the slow path at once after one with undeclared fields: to try the one pass
first would take 1.8 times as long.
"""

_as_sent, _of_struct = itemgetter("type", "value"), attrgetter("type", "value")


class Codec:
    """Decodes what departments publish, by the contracts of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._contracts = {name: Contract(*described) for name, described in registry.types.items()}
        self._decoders = decoders(self._contracts.values())
        self._passed_over = dict.fromkeys(self._decoders, 0)
        """By department, how many more events take the slow path at once, because one had undeclared fields."""
        # The same misspelt type comes again and again, and finding the closest known type takes 0.2 ms.
        self._unknown = lru_cache(maxsize=256)(self._unknown_type)

    def decode(self, department: str, value: bytes | None, headers: Headers | None) -> Decoded | Refusal:
        """Return the event of a record of ``department``'s topic, or why it is none. Never raises."""
        decode = self._decoders.get(department)
        if decode is None or not value or len(value) > MAX_BYTES or (headers and headers != PLAIN):
            return self._judge(department, value, headers)
        if self._passed_over[department] > 0:
            self._passed_over[department] -= 1
            return self._judge(department, value, headers)
        if value.find(b"\\") >= 0 and odd(value):
            return self._judge(department, value, headers)
        try:
            event = decode(value)
            time = instant.parse(event.time)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if has_undeclared(error):
                self._passed_over[department] = PASSED_OVER
            return self._judge(department, value, headers)
        if not visible(event):
            return self._judge(department, value, headers)
        identifiers = tuple(map(_of_struct, event.data.customer.identifiers))
        return Decoded(event.type, event.source, event.id, time, value, identifiers)

    def _judge(self, department: str, value: bytes | None, headers: Headers | None) -> Decoded | Refusal:
        """The slow path, step by step; it puts into words what is wrong."""
        if not value:
            return Refusal(Reason.NOT_JSON, "the record has no value; expected a JSON object.")
        if len(value) > MAX_BYTES:
            return _too_large(len(value))
        binary = binary_attributes(headers) if headers else None
        if isinstance(binary, Refusal):
            return binary
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            return Refusal(Reason.NOT_JSON, f"the value is not JSON: {error}.")
        if binary is None:
            if type(parsed) is not dict:
                return Refusal(
                    Reason.NOT_CLOUDEVENTS, f"the value is {kind(parsed)}; expected a CloudEvent, an object."
                )
            event, data = parsed, parsed.get("data")
        else:
            event, data = {**binary, "data": parsed}, parsed
            value = join(binary, value)
            if len(value) > MAX_BYTES:
                return _too_large(len(value))
        time = check(event)
        if isinstance(time, Refusal):
            return misspelt(time, headers)
        name = event["type"]
        contract = self._contracts.get(name)
        if contract is None:
            return self._unknown(name)
        if contract.department != department and not contract.answer:
            return _wrong_topic(name, contract.department, department)
        if type(data) is not dict:
            return _no_object(event)
        plain = value.find(b"\\") < 0
        try:
            if plain and value.isascii():
                contract.validate(data)
            else:  # only then has a string more bytes than characters
                contract.validate_bytes(data)
        except ValidationError as error:
            return refused_data(error, contract.schema)
        # Counting bytes is cheap; only an event that may be wrong is searched.
        if value.count(b"{") + value.count(b"[") > _MAX_DEPTH and _too_deep(value):
            return Refusal(
                Reason.INVALID_DATA, f"the event is nested more than {_MAX_DEPTH} levels deep; expected fewer."
            )
        if not plain and b"\\u0000" in value:
            place = _nul(event)
            if place is not None:
                return Refusal(Reason.INVALID_DATA, f"{place} holds a NUL character; expected text without it.")
        if contract.answer:
            if data["department"] != department:
                return _wrong_topic(name, data["department"], department)
            return Decoded(name, event["source"], event["id"], time, value, (), data["customerId"])
        identifiers = tuple(map(_as_sent, data["customer"]["identifiers"]))
        return Decoded(name, event["source"], event["id"], time, value, identifiers)

    @staticmethod
    def encode_structured(
        *, type: str, source: str, id: str, time: int | str, data: Mapping[str, Any], **attributes: str
    ) -> bytes:
        """Return the value of a structured record (its header: ``content-type: application/cloudevents+json``).

        ``time`` as RFC 3339 text, or in UTC microseconds. Nothing is checked; TypeError for what JSON can't hold.
        """
        moment = time if isinstance(time, str) else instant.render(time)
        event = {"specversion": "1.0", "id": id, "source": source, "type": type, "time": moment, **attributes}
        return orjson.dumps({**event, "datacontenttype": "application/json", "data": data})

    def _unknown_type(self, name: str) -> Refusal:
        close = difflib.get_close_matches(name[:100], self._contracts, n=1, cutoff=0.8)
        wish = f"did you mean {quoted(close[0])}?" if close else "expected <department>.<entity>.<verb>.v<major>."
        return Refusal(
            Reason.UNKNOWN_TYPE, f'the attribute "type" is {found(name)}, which no department has described; {wish}'
        )


def _too_large(size: int) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"the event has {size} bytes; expected at most {MAX_BYTES}.")


def _wrong_topic(name: str, right: str, wrong: str) -> Refusal:
    where = f"cx.{wrong}.events.v1; expected the topic of the department {quoted(right)}"
    return Refusal(Reason.WRONG_TOPIC, f'an event of type "{name}" came on {where}.')


def _no_object(event: Mapping[str, Any]) -> Refusal:
    if "data_base64" in event:
        return Refusal(
            Reason.INVALID_DATA, 'the event has "data_base64"; expected its data as a JSON object in "data".'
        )
    what = f"is {kind(event['data'])}" if "data" in event else "is missing"
    return Refusal(Reason.INVALID_DATA, f"data {what}; expected an object.")


def _too_deep(value: bytes) -> bool:
    """Whether the JSON is nested too deep. Values hidden by a duplicate key count: other parsers read them."""
    brackets = _TEXTS.sub(b"", value).translate(*_ALL_BUT_BRACKETS)
    for _ in range(_MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return bool(brackets)


def _nul(event: Mapping[str, Any]) -> str | None:
    """Find where a NUL character stands, which databases refuse. The event is known not to be too deep."""
    for name, child in event.items():
        place = "" if "\0" in name else _nul_in(child)
        if place is not None:
            return printable(name) + place
    return None


def _nul_in(node: Any) -> str | None:
    """Return the path below ``node``, empty if it is the node itself."""
    if isinstance(node, str):
        return "" if "\0" in node else None
    if isinstance(node, dict):
        place = _nul(node)
        return None if place is None else f".{place}"
    places = ((index, _nul_in(child)) for index, child in enumerate(node if isinstance(node, list) else ()))
    return next((f"[{index}]{place}" for index, place in places if place is not None), None)
