"""A department is one file: found by itself, and refused at the start if it can't be right."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.department import ALWAYS, BusData, Data, Department, EntityRole, EventData, EventType
from schemas.fields import Id
from schemas.registry import Registry

LOGISTICS = '''
"""What logistics publishes."""

from __future__ import annotations

from ..department import Department, EventData, EventType
from ..fields import Id


class ParcelLost(EventData):
    """A parcel can't be found."""

    parcelId: Id


DEPARTMENT = Department(name="logistics", types=(EventType(name="logistics.parcel.lost.v1", data=ParcelLost),))
'''


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the folder under another name, as a client package would ship it."""
    folder = tmp_path / "shipped"
    shutil.copytree(str(Path(schemas.__file__).parent), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "shipped"]:
        del sys.modules[name]


def test_one_file_more_is_one_department_more(shipped: Path) -> None:
    (shipped / "departments" / "logistics.py").write_text(LOGISTICS)
    registry = importlib.import_module("shipped.registry").Registry.discover()
    codec = importlib.import_module("shipped.codec").Codec(registry)
    data = {"customer": {"identifiers": [{"type": "email", "value": "ada@example.com"}]}, "parcelId": "PA1"}
    value = codec.encode_structured(
        type="logistics.parcel.lost.v1", source="/depot", id="1", time="2026-03-02T09:00:00Z", data=data
    )
    assert "cx.logistics.events.v1" in [department.topic for department in registry.sources]
    assert value == codec.decode("logistics", value, None).value
    assert "wrong-topic" == codec.decode("sales", value, None).reason


def test_the_folder_works_under_another_name_without_the_rest_of_the_bus(shipped: Path) -> None:
    loaded = [importlib.import_module(f"shipped.{path.stem}") for path in sorted(shipped.glob("[a-z]*.py"))]
    assert {"shipped"} == {module.__name__.partition(".")[0] for module in loaded}
    original = set(Registry.discover().types)
    assert original == set(importlib.import_module("shipped.registry").Registry.discover().types)


class Shipped(EventData):
    parcelId: Id
    state: Id | None = None


class Naked(Data):
    parcelId: Id


def department(name: str = "logistics", **described: Any) -> Department:
    event_type = EventType(**{"name": "logistics.parcel.sent.v1", "data": Shipped, **described})
    return Department(name=name, types=(event_type,))


def test_a_registry_takes_departments_of_any_origin() -> None:
    own = department(
        outbound={"state": ("late",)}, entity=EntityRole(entity="parcel", id_field="parcelId", role="opens")
    )
    registry = Registry([*Registry.discover().departments, own])
    assert (own, own.types[0]) == registry.types["logistics.parcel.sent.v1"]
    assert own in registry.sources


def test_the_bus_has_no_topic_of_its_own() -> None:
    assert ["bus"] == [found.name for found in Registry.discover().departments if found.topic is None]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (department(name="Logistics"), "not a name for a topic"),
        (department(name="log.istics"), "not a name for a topic"),
        (department(name="sales", data=Shipped), r"expected sales\.<entity>\.<verb>"),
        (department(name="logistics", data=Naked), "must derive from EventData"),
        (department(**{"name": "logistics"}, entity=EntityRole(entity="p", id_field="id", role="opens")), "id$"),
        (department(outbound={"status": ("late",)}), "fields that its data does not have: status"),
        (department(engaged={"status": ("late",)}), "fields that its data does not have: status"),
        (department(answered={"status": ("late",)}), "fields that its data does not have: status"),
        (department(defaults={"status": "late"}), "fields that its data does not have: status"),
        (
            department(
                entity=EntityRole(entity="p", id_field="parcelId", role="changes", closes_when={"status": ("x",)})
            ),
            "fields that its data does not have: status",
        ),
    ],
)
def test_a_file_that_would_never_match_is_refused_at_the_start(wrong: Department, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Registry([wrong])


@pytest.mark.parametrize(
    "name", ["logistics.parcel.sent", "logistics.parcel.v1", "logistics.parcel.sent.v0", "Logistics.parcel.sent.v1"]
)
def test_a_type_needs_entity_verb_and_major_version(name: str) -> None:
    event_type = EventType(name=name, data=Shipped, engaged=ALWAYS)
    with pytest.raises(ValueError, match="expected logistics"):
        Registry([Department(name="logistics", types=(event_type,))])


def test_nothing_is_described_twice() -> None:
    with pytest.raises(ValueError, match="given twice"):
        Registry([department(), department()])
    twice = department().types * 2
    with pytest.raises(ValueError, match="described twice"):
        Registry([Department(name="logistics", types=twice)])


def test_a_department_that_also_answers_the_bus_keeps_its_topic() -> None:
    class Answer(BusData):
        """An answer of logistics' own."""

    answer = EventType(name="logistics.alert.seen.v1", data=Answer)
    both = Department(name="logistics", types=(*department().types, answer))
    assert "cx.logistics.events.v1" == Registry([both]).sources[0].topic
