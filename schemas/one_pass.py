"""The fast path to a checked event: JSON is decoded and validated in one pass, into structs made from the contracts.

The contracts stay the only source, and the codec decides: what is accepted here, the codec would accept with the same
result; what is declined here, it checks itself. So a struct may accept less than its contract, and never more. Declined
are types and values that a struct can't check exactly, long texts, and undeclared fields: msgspec would skip these
without checking their numbers and characters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from operator import attrgetter
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta
from pydantic_core import CoreConfig, SchemaValidator

from . import instant
from .contract import Contract, in_bytes
from .currency import CODES
from .fields import known_currency
from .fields_before import PLAIN, Late, asked
from .visible import VISIBLE

_WIDEST = 4
"""Most bytes of a character as JSON; control characters take six, but are escaped, and so declined."""
_LARGEST = 2**53
"""Whole numbers below this are the same to all readers of JSON."""
_CONFIG = CoreConfig(strict=True, allow_inf_nan=False)
_UNJUDGED = ("title", "extra_fields_behavior")
"""Parts of a configuration that need no check: undeclared fields are declined anyway."""
_LENGTH = ("min_length", "max_length")
_RANGE = ("ge", "le")

odd = re.compile(rb"\\u(?:00[01]|[dD])").search
"""Finds escapes of control characters and of surrogates."""
_DRAWN = "[!-~]"
"""The ASCII characters of ``VISIBLE``."""
_drawn = re.compile(_DRAWN).search


class _Text:
    """A text that a function validates; the class stands for the type in a struct."""

    judge: Callable[[str], object]


class _Instant(_Text):
    judge = staticmethod(instant.parse)


_Name = Annotated[str, Meta(min_length=1, max_length=128)]
_TEXTS = ("subject", "dataschema", "datacontenttype", "partitionkey", "correlationid", "causationid", "traceparent")
_ENVELOPE: list[Any] = [
    ("specversion", Literal["1.0"]),
    ("id", _Name),
    ("source", _Name),
    ("time", str),
    *((name, str | None, None) for name in _TEXTS),
    ("recordedtime", _Instant | None, None),
]


class _InexpressibleError(Exception):
    """No struct can check what this schema checks."""


def decoders(contracts: Iterable[Contract]) -> dict[str, Callable[[bytes], Any]]:
    """Return, by department, a decoder for the value of a structured event, which raises for what it declines.

    It leaves to ``visible`` whether names can be seen: a pattern takes longer than all else of a text. Answers to the
    bus are declined: they are few, and come on every department's topic.
    """
    types: defaultdict[str, list[Any]] = defaultdict(list)
    for contract in contracts:
        if not contract.answer:
            with suppress(_InexpressibleError):
                made = _event(contract)
                types[contract.department].append(made)
    return {department: _decoder(some) for department, some in types.items()}


def visible(event: Any) -> bool:
    """Whether source and id are printable ASCII, and each of the event's names has a visible ASCII character."""
    names = event.names(event)
    joined = "".join(names)
    if joined.isascii() and joined.isprintable() and " " not in joined:  # no name is empty
        return True
    place = event.source + event.id
    return place.isascii() and place.isprintable() and all(map(_drawn, names))


def has_undeclared(error: Exception) -> bool:
    """Whether a decoder raised it for an undeclared field."""
    return str(error).startswith("Object contains unknown field")


def _event(contract: Contract) -> Any:
    """Return the struct of a whole event, tagged with its type."""
    if contract.judged["type"] != "typed-dict":
        raise _InexpressibleError
    data, names = dict(contract.judged["fields"]), ["source", "id"]
    for name, field in data.items():
        schema = field["schema"]
        if field["required"] and _is_id(schema):
            names.append(f"data.{name}")
            data[name] = {**field, "schema": {key: schema[key] for key in schema if key != "pattern"}}
    fields = [*_ENVELOPE, ("data", _type({**contract.judged, "fields": data}))]
    said = {"type": contract.name, "names": attrgetter(*names)}
    return _struct("Event", fields, tag_field="type", tag=contract.name, namespace=said)


def _is_id(schema: dict[str, Any]) -> bool:
    return schema["type"] == "str" and schema.get("pattern") == VISIBLE and schema.get("min_length", 0) > 0


def _decoder(types: list[Any]) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(Union[tuple(types)], dec_hook=_hook).decode  # noqa: UP007 - made at run time


def _hook(kind: type[_Text], said: object) -> _Text:
    if type(said) is not str:
        raise TypeError("only texts are the same to all readers of JSON")
    kind.judge(said)
    return kind()


def _struct(name: str, fields: list[Any], **config: Any) -> Any:
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True, gc=False, **config)


def _type(node: Any) -> Any:
    """Return a type all of whose values the core schema accepts."""
    match node:
        case {"type": "default", "schema": inner, **rest} if _known(rest, "default"):
            return _type(inner)
        case {"type": "nullable", "schema": inner, **rest} if _known(rest):
            return _type(inner) | None
        case {"type": "typed-dict", "fields": fields, "config": config, **rest} if _known(rest, "extra_behavior"):
            return _nested(fields, config)
        case {"type": "list", "items_schema": items, **rest} if _known(rest, "fail_fast", *_LENGTH):
            return Annotated[list[_type(items)], _bounds(node, _LENGTH)]  # type: ignore[misc]
        case {"type": "dict", "keys_schema": {"type": "str"}, "values_schema": {"type": "any"}, **rest} if _known(rest):
            return dict[str, str | float | bool | None]  # so it is flat, and no whole number is too large
    return _plain(node)


def _plain(node: Any) -> Any:
    match node:
        case {"type": "literal", "expected": words} if all(type(word) is str for word in words):
            return Literal[tuple(words)]
        case {"type": "bool", **rest} if _known(rest):
            return bool
        case {"type": "float", **rest} if _known(rest, "allow_inf_nan", *_RANGE):
            return Annotated[float, _bounds(node, _RANGE)]
        case {"type": "int", "ge": least, "le": most, **rest} if -_LARGEST < least and most < _LARGEST and _known(rest):
            return Annotated[int, _bounds(node, _RANGE)]
        case {"type": "str", **rest} if _known(rest, "pattern", *_LENGTH) and rest.get("pattern", VISIBLE) == VISIBLE:
            drawn = {"pattern": _DRAWN} if "pattern" in rest else {}
            return Annotated[str, _bounds(node, _LENGTH, **drawn)]
        case {"type": "function-after", "function": {"function": judge}, "schema": {"type": "str", **rest}} if (
            judge is known_currency and _known(rest)
        ):
            return Literal[tuple(CODES)]
        case {"type": "function-after", "function": {"type": "no-info"}, "schema": {"type": "str"}}:
            return _text(node)
    raise _InexpressibleError


def _text(node: dict[str, Any]) -> type[_Text]:
    judge = SchemaValidator(in_bytes(node), _CONFIG).validate_python
    return type("Text", (_Text,), {"judge": staticmethod(judge)})


def _known(rest: Mapping[Any, Any], *names: str) -> bool:
    """Whether a schema has no keys but these, its name and its metadata, which check nothing."""
    return rest.keys() <= {"metadata", "ref", *names}


def _nested(fields: dict[str, Any], config: dict[str, Any]) -> Any:
    if {name: config.get(name) for name in _CONFIG} != _CONFIG or not config.keys() <= {*_CONFIG, *_UNJUDGED}:
        raise _InexpressibleError
    made: list[Any] = []
    late: list[Late] = []
    before: set[str] = set()
    for name, field in fields.items():
        if not field.keys() <= {"type", "required", "schema", "metadata"}:
            raise _InexpressibleError
        schema, required = field["schema"], field["required"]
        match schema:
            case {"function": {"type": "with-info", "function": judge}, "schema": {"type": kind} as plain} if (
                schema["type"] == "function-after" and required and kind in PLAIN
            ):
                late.append(Late(name, judge, frozenset(before)))
                schema = plain
            case {"type": kind} if required and kind in PLAIN:
                before.add(name)
        made.append((name, _type(schema), *(() if required else (None,))))
    return _struct("Data", made, namespace={"__post_init__": asked(late)} if late else {})


def _bounds(node: dict[str, Any], names: tuple[str, ...], **bounds: Any) -> Meta:
    """Return limits in characters under which the limits in bytes hold."""
    bounds.update((name, node[name]) for name in names if name in node)
    if node["type"] == "str" and "max_length" in bounds:
        bounds["max_length"] //= _WIDEST
    return Meta(**bounds)
