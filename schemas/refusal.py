"""Why an event was refused, in one sentence for the developer of the department that sent it.

A sentence names the field, what was found and what was expected. Of a value in ``customer`` it says only the kind:
refusals travel further than the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHOWN = 60  # characters of a found value: enough to recognise it


class Reason(StrEnum):
    """The closed set of reasons; also the label of a metric, so it never holds anything of an event."""

    NOT_JSON = "not-json"
    NOT_CLOUDEVENTS = "not-cloudevents"
    UNKNOWN_TYPE = "unknown-type"
    WRONG_TOPIC = "wrong-topic"
    INVALID_DATA = "invalid-data"
    NO_IDENTIFIER = "no-identifier"
    TIME_IN_FUTURE = "time-in-future"
    ID_REUSED = "id-reused"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    DECISION_ERROR = "decision-error"
    FOREIGN_RECORD = "foreign-record"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that is refused; ``message`` is one sentence."""

    reason: Reason
    message: str


def decision_error(error: Exception) -> Refusal:
    """A fault of the bus itself that one event revealed. The error's text is left out: it may hold personal data."""
    message = f"the bus failed to process this event: {type(error).__name__}. Its operators are notified."
    return Refusal(Reason.DECISION_ERROR, message)


def kind(value: Any) -> str:
    """Name the JSON kind of ``value``."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Sequence():
            return "an array"
        case _:
            return "an object"


def printable(text: str) -> str:
    """Return the beginning of ``text``, with what can't be printed escaped."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text[:_SHOWN])


def quoted(text: str) -> str:
    """Put the beginning of ``text`` in quotation marks."""
    return f'"{printable(text)}"'


def found(value: Any) -> str:
    """Say what ``value`` is, short, in printable characters."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str() if len(value) > _SHOWN:
            return f"a string of {len(value)} characters that begins with {quoted(value)}"
        case str():
            return f"the string {quoted(value)}"
        case _:
            return kind(value)


def expected(schema: Mapping[str, Any]) -> str | None:
    """Say in words what a JSON Schema of one field asks for; None if it is not one of the simple kinds."""
    if "description" in schema and schema.get("type") != "object":  # a model's description is its docstring
        return str(schema["description"])
    if "enum" in schema:
        return "one of " + ", ".join(quoted(str(value)) for value in schema["enum"])
    kinds = {
        "object": "an object",
        "array": "an array",
        "string": "a string",
        "integer": "a whole number",
        "boolean": "true or false",
    }
    return kinds.get(schema.get("type", ""))


def refused_data(error: ValidationError, schema: Mapping[str, Any]) -> Refusal:
    """Turn what pydantic found into a ``Refusal``. ``schema`` is the JSON Schema of the same ``data``."""
    errors = error.errors(include_url=False)
    first = errors[0]
    location = first["loc"]
    if location == ("customer", "identifiers") and first["type"] == "too_short":
        return Refusal(Reason.NO_IDENTIFIER, "data.customer.identifiers is empty; expected at least one identifier.")
    if first["type"] == "missing":
        what = "is missing"
    else:
        what = "is " + (kind if location[:1] == ("customer",) else found)(first["input"])
    others = {wrong["loc"] for wrong in errors} - {location}
    more = f" ({len(others)} more wrong)" if others else ""
    return Refusal(Reason.INVALID_DATA, f"{_path(location)} {what}{_wish(first, schema)}{more}.")


def _wish(wrong: ErrorDetails, schema: Mapping[str, Any]) -> str:
    """Say what was expected: as the field's validator says, as the schema says, else in pydantic's words."""
    if wrong["type"] == "expected":
        return f"; expected {wrong['msg']}"
    words = None if wrong["type"] in ("value_error", "assertion_error") else expected(_schema_at(schema, wrong["loc"]))
    return f": {wrong['msg']}" if words is None else f"; expected {words}"


def _path(location: tuple[int | str, ...]) -> str:
    return "data" + "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in location)


def _schema_at(schema: Mapping[str, Any], location: tuple[int | str, ...]) -> Mapping[str, Any]:
    """Follow a path of names and indexes into a JSON Schema; empty where the schema does not say."""
    here = schema
    for part in location:
        here = _target(schema, here)
        here = here.get("items", {}) if isinstance(part, int) else here.get("properties", {}).get(part, {})
    return here if "description" in here else _target(schema, here)


def _target(schema: Mapping[str, Any], here: Mapping[str, Any]) -> Mapping[str, Any]:
    """Step past ``null`` and through a reference."""
    here = next((choice for choice in here.get("anyOf", ()) if choice.get("type") != "null"), here)
    reference = here.get("$ref")
    return here if reference is None else schema["$defs"][reference.removeprefix("#/$defs/")]
