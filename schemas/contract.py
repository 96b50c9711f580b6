"""The compiled contract of an event type: the fast validator of its ``data``, and the JSON Schema of the same.

Building model objects only to discard them costs three times as much as the checks themselves. So the validator is made
from the model's schema with every model replaced by a typed dict, unless a department gave its models validators of
their own, which expect models.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from .department import BusData, Department, EventType

_FUNCTIONS = ("function-before", "function-after", "function-wrap")


class _Untitled(GenerateJsonSchema):
    """Leaves out pydantic's titles, which only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON Schema (2020-12), without titles of fields."""
    return model.model_json_schema(schema_generator=_Untitled)


class Contract:
    """The contract of one event type. ``answer``: its events come on the topic of the department that they name."""

    def __init__(self, department: Department, event_type: EventType) -> None:
        self.name, self.department = event_type.name, department.name
        self.answer = issubclass(event_type.data, BusData)
        schema = TypeAdapter(event_type.data).core_schema
        self.judged = _lean(schema) if _is_plain(schema) else schema
        self.validate = SchemaValidator(self.judged).validate_python
        self._model = event_type.data

    @cached_property
    def validate_bytes(self) -> Callable[[Any], Any]:
        """Like ``validate``, but ``max_length`` limits a string's bytes as JSON, which may exceed its characters."""
        return SchemaValidator(in_bytes(self.judged)).validate_python

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema, made when the first refusal needs it."""
        return json_schema(self._model)


def _is_plain(node: Any, judged: bool = False) -> bool:
    """Whether a core schema has no code that would miss a model. ``judged``: the node is inside a validator."""
    if isinstance(node, list):
        return all(_is_plain(item, judged) for item in node)
    if not isinstance(node, dict):
        return True
    kind = node.get("type")
    if kind in ("model", "definition-ref") and judged:
        return False
    if kind == "model" and (node["schema"]["type"] != "model-fields" or node.get("custom_init") or "post_init" in node):
        return False
    return all(_is_plain(value, judged or kind in _FUNCTIONS) for value in node.values())


def _lean(node: Any) -> Any:
    """Replace every model by a typed dict of the same fields and configuration; undeclared fields are ignored."""
    if isinstance(node, list):
        return [_lean(item) for item in node]
    if not isinstance(node, dict):
        return node
    match node.get("type"):
        case "model":
            kept = {key: node[key] for key in ("config", "ref") if key in node}
            extra = "forbid" if kept.get("config", {}).get("extra_fields_behavior") == "forbid" else "ignore"
            return {**_lean(node["schema"]), "extra_behavior": extra, **kept}
        case "model-fields":
            return {"type": "typed-dict", "fields": {name: _lean(field) for name, field in node["fields"].items()}}
        case "model-field":
            required = node["schema"]["type"] != "default"
            return {**node, "type": "typed-dict-field", "schema": _lean(node["schema"]), "required": required}
    return {key: _lean(value) for key, value in node.items()}


def in_bytes(node: Any) -> Any:
    """Add a check of its bytes to every string that has a ``max_length``."""
    if isinstance(node, list):
        return [in_bytes(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "str" and "max_length" in node:
        return core_schema.no_info_after_validator_function(partial(_short, node["max_length"]), node)
    return {key: in_bytes(value) for key, value in node.items()}


def _short(most: int, text: str) -> str:
    if len(orjson.dumps(text)) - 2 > most:
        raise PydanticCustomError("too_many_bytes", "expected at most {most} bytes as JSON", {"most": most})
    return text
