"""``docs/vocabulary.md`` says what the contracts say: every type with its fields and its meaning, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.department import EventType, When
from schemas.outputs import OUTPUTS
from schemas.refusal import Reason
from schemas.registry import Registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "vocabulary.md").read_text(encoding="utf-8")
TYPES = Registry.discover().types


def row(name: str, kind: EventType) -> str:
    """The line of the page's table for one type."""
    fields = {field: info.is_required() for field, info in kind.data.model_fields.items() if field != "customer"}
    required = code(field for field, wanted in fields.items() if wanted)
    optional = code(field for field, wanted in fields.items() if not wanted)
    cells = (f"`{name}`", required, optional, "; ".join(meaning(kind)))
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def meaning(kind: EventType) -> Iterator[str]:
    """What a type means, in the page's words."""
    if kind.entity is not None:
        also = f", closes it {when(kind.entity.closes_when)}" if kind.entity.closes_when else ""
        yield f"{kind.entity.role} the {kind.entity.entity}{also}"
    for word, condition in (("contact", kind.outbound), ("answered", kind.answered), ("engaged", kind.engaged)):
        if condition is not None:
            yield f"{word} {when(condition)}".strip()
    for field, value in kind.defaults.items():
        yield f"no {field} means {said(value)}"


def when(condition: When | None) -> str:
    return " and ".join(
        f"if {field} is {' or '.join(map(said, values))}" for field, values in (condition or {}).items()
    )


def said(value: str | bool) -> str:
    """As JSON has it, without quotation marks."""
    return str(value).lower() if isinstance(value, bool) else value


def test_the_page_has_every_type_with_its_fields_and_meaning_and_no_other() -> None:
    right = {row(name, kind) for name, (_, kind) in TYPES.items()}
    there = set(re.findall(r"^\| `(?!cx\.)[\w.-]+\.v\d+` .*$", PAGE, re.MULTILINE))
    assert "" == "\n".join(sorted(right - there)), "lines that the page needs"
    assert "" == "\n".join(sorted(there - right)), "lines that are wrong"


def test_the_page_names_everything_that_the_bus_emits() -> None:
    assert [] == [name for name in OUTPUTS if f"`{name}`" not in PAGE]


def test_the_page_names_every_field_of_what_the_bus_emits() -> None:
    missing = [
        (name, field) for name, model in OUTPUTS.items() for field in model.model_fields if f"`{field}`" not in PAGE
    ]
    assert [] == missing


def test_the_page_has_every_reason_of_a_dead_letter_and_no_other() -> None:
    (section,) = re.findall(r"^## Reasons.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert {reason.value for reason in Reason} == set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE))
