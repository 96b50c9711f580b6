"""``cxbus schemas``: the event types that departments can publish, and those that the bus emits."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.export import RELEASED, documents, incompatibilities, read, write
from schemas.outputs import OUTPUTS
from schemas.registry import Registry

from .output import document, say, shown
from .problem import Code, Problem
from .tables import table
from .words import count, value_of


def list_(json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """List the event types that departments can publish and that the bus emits.

    Example: cxbus schemas list
    """
    registry = Registry.discover()
    rows = [(name, department.name, _first(kind.data.__doc__)) for name, (department, kind) in registry.types.items()]
    rows += [(name, "(the bus)", _first(model.__doc__)) for name, model in sorted(OUTPUTS.items())]
    if json:
        document([{"type": name, "department": whose, "about": about} for name, whose, about in rows])
    else:
        table(("type", "department", "about"), rows)


def show(
    name: Annotated[str, typer.Argument(metavar="TYPE", help="Event type, such as service.case.opened.v1.")],
    json: Annotated[bool, typer.Option("--json", help="Print the JSON Schema of its data.")] = False,
) -> None:
    """Show the fields of one event type, with an example.

    Example: cxbus schemas show service.case.opened.v1
    """
    registry = Registry.discover()
    known = documents(registry)
    schema = known.get(name)
    if schema is None:
        close = difflib.get_close_matches(name, known, n=3)
        wish = f"did you mean {' or '.join(close)}?" if close else "see `cxbus schemas list`."
        raise Problem(f"There is no event type {shown(name)}; {wish}", Code.USAGE)
    if json:
        document(schema)
        return
    described = registry.types.get(name)
    say(f"{name}: {schema.get('description', '')}")
    if described is not None:
        say(f"on {described[0].topic or 'the topic of the department that answers'}")
    say("")
    required = schema.get("required", ())
    table(
        ("field", "", "what"),
        [
            (field, "required" if field in required else "", _what(rule, schema))
            for field, rule in schema.get("properties", {}).items()
        ],
    )
    for example in schema.get("examples", ()):
        say("", "Example of a whole event:")
        document({**_ENVELOPE, "type": name, "data": example})


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; created if it is missing.")],
) -> None:
    """Write every type's JSON Schema (2020-12) into a folder, one file each.

    Example: cxbus schemas export schemas/released
    """
    try:
        paths = write(folder, documents(Registry.discover()))
    except OSError as error:
        raise Problem(f"{folder} can't be written: {error.strerror}.", Code.USAGE) from error
    say(f"{count(len(paths), 'schema')} in {folder}.")


def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder of released schemas; default: the shipped ones.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check that the contracts are compatible with the released schemas; exit code 1 if not.

    Example: cxbus schemas check
    """
    where = folder or RELEASED
    if not where.is_dir():
        raise Problem(f"There is no folder {where}.", Code.USAGE)
    try:
        released = read(where)
    except ValueError as error:
        raise Problem(f"A released schema can't be read: {error}.", Code.USAGE) from error
    if not released:
        raise Problem(f"There is no schema in {where}; `cxbus schemas export` writes them.", Code.USAGE)
    broken = incompatibilities(released, documents(Registry.discover()))
    if json:
        document({"released": len(released), "broken": broken})
    else:
        say(*(f"✗ {shown(what)}" for what in broken))
        if not broken:
            say(f"✓ All {len(released)} released schemas are still compatible.")
        else:
            say("A released type may only gain optional fields; anything else is a new major version of it.")
    if broken:
        raise typer.Exit(Code.WRONG)


_ENVELOPE = {"specversion": "1.0", "id": "4711", "source": "/your/system", "time": "2026-03-02T09:00:00Z"}


def _first(text: str | None) -> str:
    """The first sentence of a docstring."""
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def _what(rule: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The values that a field may have, as text."""
    choices = [one for one in rule.get("anyOf", [rule]) if one.get("type") != "null"]
    words = []
    for choice in choices:
        target = schema.get("$defs", {}).get(str(choice.get("$ref", "")).removeprefix("#/$defs/"), choice)
        kind = target.get("type", "anything")
        one_of = ", ".join(map(value_of, target.get("enum", ())))
        words.append(rule.get("description") or target.get("description") or (f"one of {one_of}" if one_of else kind))
    return " or ".join(words)
