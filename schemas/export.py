"""The contracts as JSON Schema 2020-12, one document per type, and whether a newer set breaks a released one.

A released type may only gain optional fields. Everything else needs a new major version, because departments and apps
were written against the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from .contract import json_schema
from .department import BusData
from .outputs import OUTPUTS
from .registry import Registry

JsonDocument = dict[str, Any]

RELEASED = Path(__file__).parent / "released"

_CUSTOMER = {"identifiers": [{"type": "customer_no", "value": "C-1042"}], "name": "Ada Lovelace"}
_WORDS_ONLY = {"$schema", "$id", "$defs", "title", "description", "examples", "default"}
_COMPARED_APART = {"type", "anyOf", "properties", "required", "items", "additionalProperties", "enum"}


def documents(registry: Registry) -> dict[str, JsonDocument]:
    """Return the JSON Schema of the ``data`` of every event type and of every output, by type."""
    exported: dict[str, JsonDocument] = {}
    for name, (_, event_type) in sorted(registry.types.items()):
        example = dict(event_type.example)
        if not issubclass(event_type.data, BusData):
            example = {"customer": _CUSTOMER, **example}
        exported[name] = _document(name, {**json_schema(event_type.data), "examples": [example]})
    for name, model in sorted(OUTPUTS.items()):
        exported[name] = _document(name, json_schema(model))
    return exported


def _document(name: str, schema: JsonDocument) -> JsonDocument:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:cxbus:{name}"}
    return {**head, **schema, "title": name}


def write(directory: Path, exported: Mapping[str, JsonDocument]) -> list[Path]:
    """Write one file per type, equal bytes for equal contracts; return their paths. Files of other types stay."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{name}.json" for name in exported]
    for path, document in zip(paths, exported.values(), strict=True):
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return paths


def read(directory: Path) -> dict[str, JsonDocument]:
    """Read what ``write`` wrote. Raises ValueError if a file is not JSON."""
    found: dict[str, JsonDocument] = {}
    for path in sorted(directory.glob("*.json")):
        try:
            found[path.stem] = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{path}: {error}") from error
    return found


def incompatibilities(released: Mapping[str, JsonDocument], current: Mapping[str, JsonDocument]) -> list[str]:
    """Return in words everything that breaks a released type; new types and new optional fields do not."""
    found: list[str] = []
    for name, old in sorted(released.items()):
        if name not in current:
            found.append(f"{name}: the type was removed")
        else:
            found += [f"{name}: {what}" for what in _differences("data", _inlined(old), _inlined(current[name]))]
    return found


def _inlined(document: JsonDocument) -> Any:
    """Put every definition where it is used, so that renaming one changes nothing."""
    definitions = document.get("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            node = {
                **definitions[node["$ref"].removeprefix("#/$defs/")],
                **{k: v for k, v in node.items() if k != "$ref"},
            }
        return {key: inline(value) for key, value in node.items()}

    return inline(document)


def _differences(path: str, old: JsonDocument, new: JsonDocument) -> Iterator[str]:
    before, after = old.get("anyOf", [old]), new.get("anyOf", [new])
    if _kinds(before) != _kinds(after):
        yield f"{path} was {_kinds(before)} and is now {_kinds(after)}"
        return
    for old_choice, new_choice in zip(before, after, strict=True):
        yield from _narrower(path, old_choice, new_choice)


def _kinds(choices: list[JsonDocument]) -> str:
    return " or ".join(choice.get("type", "anything") for choice in choices)


def _narrower(path: str, old: JsonDocument, new: JsonDocument) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{path}.{name} was removed or renamed"
            continue
        if (name in was_required) != (name in is_required):
            yield f"{path}.{name} is now {'required' if name in is_required else 'optional'}"
        yield from _differences(f"{path}.{name}", before[name], after[name])
    for name in after:
        if name not in before and name in is_required:
            yield f"{path}.{name} is new and required"
    for keyword, inside in (("items", f"{path}[]"), ("additionalProperties", f"{path}.*")):
        if old.get(keyword) != new.get(keyword):
            yield from _differences(inside, _schema(old.get(keyword)), _schema(new.get(keyword)))
    if old.get("enum") != new.get("enum"):
        yield f"{path} was one of {old.get('enum', 'any values')} and is now one of {new.get('enum', 'any values')}"
    for keyword in sorted((set(old) | set(new)) - _WORDS_ONLY - _COMPARED_APART):
        if old.get(keyword) != new.get(keyword):
            yield f"{path}: {keyword} was {old.get(keyword, 'not set')} and is now {new.get(keyword, 'not set')}"


def _schema(rule: Any) -> JsonDocument:
    """Return what a subschema allows; JSON Schema also writes ``true`` or nothing for anything, ``false`` for none."""
    if rule is False:
        return {"type": "nothing"}
    return rule if isinstance(rule, dict) else {}
