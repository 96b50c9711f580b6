"""``cxbus schemas``: what departments can publish, and what the bus says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .bus import Bus, bus_of
from .output import document, say, shown, table
from .problem import Code, Problem
from .words import count, value_of

app = typer.Typer(no_args_is_help=True, help="The contracts: event types and their fields.")


@app.command("list")
def list_(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """All event types that departments can publish, and what the bus emits.

    Example: cxbus schemas list
    """
    from schemas.outputs import OUTPUTS

    registry = bus_of(context).registry
    rows = [(name, department.name, _first(kind.data.__doc__)) for name, (department, kind) in registry.types.items()]
    rows += [(name, "(the bus)", _first(model.__doc__)) for name, model in sorted(OUTPUTS.items())]
    if json:
        document([{"type": name, "department": whose, "about": about} for name, whose, about in rows])
    else:
        table(("type", "department", "about"), rows)


@app.command("show")
def show_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TYPE", help="Like service.case.opened.v1.")],
    json: Annotated[bool, typer.Option("--json", help="The JSON Schema of its data.")] = False,
) -> None:
    """The fields of one event type, with an example.

    Example: cxbus schemas show service.case.opened.v1
    """
    import difflib

    bus = bus_of(context)
    known = _documents(bus)
    schema = known.get(name)
    if schema is None:
        close = difflib.get_close_matches(name, known, n=3)
        wish = f"did you mean {' or '.join(close)}?" if close else "see `cxbus schemas list`."
        raise Problem(f"There is no event type {shown(name)}; {wish}", Code.USAGE)
    if json:
        document(schema)
        return
    described = bus.registry.types.get(name)
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


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them; is made when it is missing.")],
) -> None:
    """Write every type's JSON Schema (2020-12) into a folder, one file each.

    Example: cxbus schemas export schemas/released
    """
    from schemas import export as writer

    try:
        paths = writer.write(folder, _documents(bus_of(context)))
    except OSError as error:
        raise Problem(f"{folder} can't be written: {error.strerror}.", Code.USAGE) from error
    say(f"{count(len(paths), 'schema')} in {folder}.")


@app.command()
def check(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Released schemas; default: the shipped.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Would the contracts break what was released? Exit code 1 if they would.

    Example: cxbus schemas check
    """
    from schemas import export as exported

    where = folder or exported.RELEASED
    if not where.is_dir():
        raise Problem(f"There is no folder {where}.", Code.USAGE)
    try:
        released = exported.read(where)
    except ValueError as error:
        raise Problem(f"A released schema can't be read: {error}.", Code.USAGE) from error
    if not released:
        raise Problem(f"There is no schema in {where}; `cxbus schemas export` writes them.", Code.USAGE)
    broken = exported.incompatibilities(released, _documents(bus_of(context)))
    if json:
        document({"released": len(released), "broken": broken})
    else:
        say(*(f"✗ {shown(what)}" for what in broken))
        if not broken:
            say(f"✓ All {len(released)} released schemas still hold.")
        else:
            say("A released type may only gain optional fields; anything else is a new major version of it.")
    if broken:
        raise typer.Exit(Code.WRONG)


_ENVELOPE = {"specversion": "1.0", "id": "4711", "source": "/your/system", "time": "2026-03-02T09:00:00Z"}


def _documents(bus: Bus) -> dict[str, dict[str, Any]]:
    from schemas.export import documents

    return documents(bus.registry)


def _first(text: str | None) -> str:
    """The first sentence of a docstring."""
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def _what(rule: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a field may be, in words."""
    choices = [one for one in rule.get("anyOf", [rule]) if one.get("type") != "null"]
    words = []
    for choice in choices:
        target = schema.get("$defs", {}).get(str(choice.get("$ref", "")).removeprefix("#/$defs/"), choice)
        kind = target.get("type", "anything")
        one_of = ", ".join(map(value_of, target.get("enum", ())))
        words.append(rule.get("description") or target.get("description") or (f"one of {one_of}" if one_of else kind))
    return " or ".join(words)
