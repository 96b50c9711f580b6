"""The export and the check that a released contract is never broken: that it can fail, for each kind of break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from schemas.department import Data, Department, EventData, EventType
from schemas.export import JsonDocument, documents, incompatibilities, read, write
from schemas.fields import Id, Money, Text
from schemas.outputs import OUTPUTS
from schemas.registry import Registry

NAME = "logistics.parcel.sent.v1"


class Size(Data):
    """How large it is."""

    width: Annotated[int, Field(ge=0, le=100)]
    unit: Text | None = None


class Sent(EventData):
    """A parcel went off."""

    parcelId: Id
    cost: Money
    carrier: Literal["bike", "truck"]
    weight: Annotated[float, Field(ge=0)] | None = None
    sizes: list[Size] | None = None
    labels: dict[str, Id] | None = None


def export(model: type[EventData], name: str = NAME) -> dict[str, JsonDocument]:
    registry = Registry([Department(name="logistics", types=(EventType(name=name, data=model),))])
    return {name: document for name, document in documents(registry).items() if name not in OUTPUTS}


def test_every_event_type_and_output_is_exported_as_a_2020_12_document_with_an_example() -> None:
    registry = Registry.discover()
    exported = documents(registry)
    assert sorted([*registry.types, *OUTPUTS]) == sorted(exported)
    for name, document in exported.items():
        assert "https://json-schema.org/draft/2020-12/schema" == document["$schema"]
        assert (f"urn:cxbus:{name}", name) == (document["$id"], document["title"])
        assert document["description"]
        assert "object" == document["type"]
        assert document["additionalProperties"] is True
        assert (name in registry.types) == ("examples" in document)


def test_an_exported_document_says_what_the_code_checks() -> None:
    properties = export(Sent)[NAME]["properties"]
    assert {"maximum": 100, "minimum": 0, "type": "integer"} == export(Sent)[NAME]["$defs"]["Size"]["properties"][
        "width"
    ]
    assert {"enum": ["bike", "truck"], "type": "string"} == properties["carrier"]
    feedback = documents(Registry.discover())["service.feedback.submitted.v1"]
    scales = {
        rule["if"]["properties"]["metric"]["const"]: rule["then"]["properties"]["value"] for rule in feedback["allOf"]
    }
    assert {
        "csat": {"minimum": 1, "maximum": 5},
        "nps": {"minimum": 0, "maximum": 10},
        "ces": {"minimum": 1, "maximum": 7},
    } == scales


def test_an_export_is_one_file_per_type_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    exported = documents(Registry.discover())
    first = {path.name: path.read_bytes() for path in write(tmp_path / "new" / "folder", exported)}
    second = {path.name: path.read_bytes() for path in write(tmp_path / "again", documents(Registry.discover()))}
    assert sorted(f"{name}.json" for name in exported) == sorted(first)
    assert first == second
    assert exported == read(tmp_path / "again")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.v1.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.v1\.json"):
        read(tmp_path)


def test_nothing_changed_is_compatible() -> None:
    assert [] == incompatibilities(export(Sent), export(Sent))
    assert [] == incompatibilities(documents(Registry.discover()), documents(Registry.discover()))


def test_new_types_and_new_optional_fields_are_compatible() -> None:
    class Larger(Sent):
        """Words may change."""

        insured: bool | None = None

    renamed_definition = copy.deepcopy(export(Larger))
    renamed_definition[NAME]["$defs"]["Box"] = renamed_definition[NAME]["$defs"].pop("Size")
    renamed_definition[NAME]["properties"]["sizes"]["anyOf"][0]["items"]["$ref"] = "#/$defs/Box"
    renamed_definition[NAME]["$defs"]["Box"]["properties"]["colour"] = {"type": "string", "description": "new"}
    more = {**renamed_definition, **export(Sent, "logistics.parcel.lost.v1")}
    assert [] == incompatibilities(export(Sent), more)


def test_a_removed_type_is_named() -> None:
    assert [f"{NAME}: the type was removed"] == incompatibilities(export(Sent), {})


def fields(document: JsonDocument) -> Any:
    return document["properties"]


def size(document: JsonDocument) -> Any:
    return document["$defs"]["Size"]["properties"]


BREAKS: list[tuple[Callable[[JsonDocument], Any], str]] = [
    (lambda new: fields(new).pop("weight"), "data.weight was removed or renamed"),
    (lambda new: fields(new)["parcelId"].update(type="integer"), "data.parcelId was string and is now integer"),
    (lambda new: fields(new)["weight"]["anyOf"].pop(), "data.weight was number or null and is now number"),
    (
        lambda new: fields(new)["cost"].update(anyOf=[{"type": "string"}, {"type": "null"}]),
        "data.cost was string and is now string or null",
    ),
    (lambda new: new["required"].append("weight"), "data.weight is now required"),
    (lambda new: new["required"].remove("cost"), "data.cost is now optional"),
    (
        lambda new: (fields(new).update(colour={"type": "string"}), new["required"].append("colour")),
        "data.colour is new and required",
    ),
    (
        lambda new: fields(new)["carrier"]["enum"].remove("bike"),
        "data.carrier was one of ['bike', 'truck'] and is now one of ['truck']",
    ),
    (
        lambda new: fields(new)["carrier"]["enum"].append("ship"),
        "data.carrier was one of ['bike', 'truck'] and is now one of ['bike', 'truck', 'ship']",
    ),
    (
        lambda new: fields(new)["carrier"].pop("enum"),
        "data.carrier was one of ['bike', 'truck'] and is now one of any values",
    ),
    (lambda new: fields(new)["weight"]["anyOf"][0].update(minimum=1), "data.weight: minimum was 0 and is now 1"),
    (lambda new: fields(new)["weight"]["anyOf"][0].update(maximum=9), "data.weight: maximum was not set and is now 9"),
    (lambda new: fields(new)["parcelId"].update(maxLength=10), "data.parcelId: maxLength was 256 and is now 10"),
    (
        lambda new: fields(new)["cost"].update(pattern="^[0-9]+$"),
        r"data.cost: pattern was ^[0-9]{1,15}(\.[0-9]{1,6})?$ and is now ^[0-9]+$",
    ),
    (lambda new: fields(new)["cost"].update(format="date"), "data.cost: format was not set and is now date"),
    (lambda new: new.update(additionalProperties=False), "data.* was anything and is now nothing"),
    (lambda new: size(new)["width"].update(maximum=50), "data.sizes[].width: maximum was 100 and is now 50"),
    (lambda new: size(new).pop("unit"), "data.sizes[].unit was removed or renamed"),
    (
        lambda new: fields(new)["sizes"]["anyOf"][0].update(items={"type": "string"}),
        "data.sizes[] was object and is now string",
    ),
    (lambda new: fields(new)["sizes"]["anyOf"][0].update(minItems=1), "data.sizes: minItems was not set and is now 1"),
    (
        lambda new: fields(new)["labels"]["anyOf"][0]["additionalProperties"].update(minLength=2),
        "data.labels.*: minLength was 1 and is now 2",
    ),
    (
        lambda new: new.update(allOf=[{"required": ["weight"]}]),
        "data: allOf was not set and is now [{'required': ['weight']}]",
    ),
    (
        lambda new: new["$defs"]["Customer"]["properties"]["identifiers"].update(maxItems=1),
        "data.customer.identifiers: maxItems was 100 and is now 1",
    ),
]


@pytest.mark.parametrize(("change", "words"), BREAKS)
def test_every_kind_of_break_is_found_and_said_in_words(change: Callable[[JsonDocument], Any], words: str) -> None:
    changed = copy.deepcopy(export(Sent))
    change(changed[NAME])
    assert [f"{NAME}: {words}"] == incompatibilities(export(Sent), changed)


def test_every_difference_is_listed() -> None:
    changed = copy.deepcopy(export(Sent))
    for change, _ in (BREAKS[0], BREAKS[4], BREAKS[16]):
        change(changed[NAME])
    assert [
        f"{NAME}: data.weight was removed or renamed",
        f"{NAME}: data.sizes[].width: maximum was 100 and is now 50",
    ] == incompatibilities(export(Sent), changed)
