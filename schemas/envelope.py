"""The CloudEvents 1.0 envelope over Kafka: attributes, both content modes, and what makes an envelope good.

Structured mode: the value is the whole event as JSON. Binary mode: the attributes are ``ce_*`` headers, the value is
``data``. By the Kafka binding, a record with the content-type of a structured event is one, whatever other headers it
has. A record without the header ``ce_specversion`` can't be binary, so it is read as structured whatever its
content-type: people forget headers, and intermediaries add some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson

from . import instant
from .refusal import Reason, Refusal, found, quoted
from .visible import is_visible

Headers = Sequence[tuple[str, bytes | None]]

STRUCTURED = b"application/cloudevents+json"
_FORMATS = b"application/cloudevents"
_REQUIRED = ("specversion", "id", "source", "type", "time")
_OPTIONAL = ("subject", "dataschema", "datacontenttype", "partitionkey", "correlationid", "causationid", "traceparent")
_PAYLOAD = ("data", "data_base64")
_LONGEST = 512  # bytes of id and source as JSON: the evidence of alerts has both, up to twenty in one message

PLAIN = (("content-type", STRUCTURED),)
"""The headers of most records, compared as a whole first."""

_FEW = len(_REQUIRED) + len(("data",))
_required = itemgetter(*_REQUIRED)


def binary_attributes(headers: Headers) -> dict[str, str] | Refusal | None:
    """Return the attributes of a binary event, None for a structured one, or why the headers are neither."""
    content_type = b""
    for key, raw in headers:
        if key.lower() == "content-type":
            content_type = raw or b""
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type == STRUCTURED:
        return None  # whatever else its headers are
    if media_type.startswith(_FORMATS):
        said = found(media_type.decode(errors="replace"))
        wish = 'expected "application/cloudevents+json" and one event in each record'
        return Refusal(Reason.NOT_CLOUDEVENTS, f"the header content-type is {said}; {wish}.")
    attributes = _attributes(headers)
    if isinstance(attributes, Refusal) or "specversion" not in attributes:
        return attributes if isinstance(attributes, Refusal) else None
    if media_type.endswith(b"json"):
        attributes["datacontenttype"] = content_type.decode(errors="replace")
    return attributes


def _attributes(headers: Headers) -> dict[str, str] | Refusal:
    attributes: dict[str, str] = {}
    for key, raw in headers:
        name = key.lower()
        if name.startswith("ce_") and raw is not None and name[3:] not in _PAYLOAD:
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                return Refusal(Reason.NOT_CLOUDEVENTS, f"the header {found(name)} is not UTF-8.")
            if attributes.setdefault(name[3:], text) != text:
                return Refusal(
                    Reason.NOT_CLOUDEVENTS, f"the header {found(name)} is given twice with different values."
                )
    return attributes


def misspelt(dead: Refusal, headers: Headers | None) -> Refusal:
    """``dead``, with a hint if its headers are spelt as for HTTP."""
    dashed = next((name for key, _ in headers or () if (name := key.lower()).startswith("ce-")), None)
    if dashed is None:
        return dead
    right = quoted(f"ce_{dashed[3:]}")
    hint = f"The header {quoted(dashed)} is spelt as for HTTP; on Kafka it is {right}: ce_, not ce-."
    return Refusal(dead.reason, f"{dead.message} {hint}")


def check(attributes: Mapping[str, Any]) -> int | Refusal:
    """Return the event's time in UTC microseconds, or what is wrong with its attributes.

    ``data`` is among the attributes, as in a structured event, and is not checked; nor are extensions that the
    vocabulary does not name.
    """
    try:
        version, event_id, source, event_type, time = _required(attributes)
    except KeyError as missing:
        name = missing.args[0]
        hint = " (in the value, or as a header ce_specversion)" if name == "specversion" else ""
        return Refusal(Reason.NOT_CLOUDEVENTS, f'the attribute "{name}" is missing{hint}.')
    if version != "1.0":
        return _wrong("specversion", version, '"1.0"')
    if not (
        type(event_type) is type(source) is type(event_id) is str
        and len(event_type) <= _LONGEST
        and 0 < len(source) <= _LONGEST
        and 0 < len(event_id) <= _LONGEST
        and (names := source + event_id).isascii()
        and names.isprintable()
        and '"' not in names
        and "\\" not in names
        and not (source.isspace() or event_id.isspace())
    ):
        for name, text in (("id", event_id), ("source", source), ("type", event_type)):
            if not _can_name(text):
                return _wrong(name, text, _NAME)
            if not is_visible(text):
                return _wrong(name, text, "a string with a visible character")
    if len(attributes) > _FEW + (type(attributes.get("datacontenttype")) is str):
        for name in _OPTIONAL:
            text = attributes.get(name)
            if text is not None and type(text) is not str:
                return _wrong(name, text, "a string")
        recorded = attributes.get("recordedtime")
        if recorded is not None and isinstance(refused := _instant("recordedtime", recorded), Refusal):
            return refused
    try:
        return instant.parse(time)
    except (TypeError, ValueError):
        return _wrong("time", time, _TIME)


def join(attributes: Mapping[str, str], data: bytes) -> bytes:
    """Return the structured event of ``attributes`` and the JSON text ``data``, which stays as it is."""
    return orjson.dumps(attributes)[:-1] + b',"data":' + data + b"}"


_NAME = f"a string of 1 to {_LONGEST} bytes as JSON without control characters"
_TIME = 'an RFC 3339 time with offset, 1970 or later, such as "2026-03-02T09:00:00Z"'


def _can_name(text: Any) -> bool:
    """Half of the rule for names; ``is_visible`` is the other half."""
    if type(text) is not str or not 0 < len(text) <= _LONGEST or len(orjson.dumps(text)) - 2 > _LONGEST:
        return False
    return not any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in text)


def _instant(name: str, text: Any) -> int | Refusal:
    try:
        return instant.parse(text)
    except (TypeError, ValueError):
        return _wrong(name, text, _TIME)


def _wrong(name: str, value: Any, wish: str) -> Refusal:
    return Refusal(Reason.NOT_CLOUDEVENTS, f'the attribute "{name}" is {found(value)}; expected {wish}.')
