"""The fast validator judges as pydantic's own models do, also for what a company's own department may declare."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.contract import Contract
from schemas.department import Department, EventData, EventType
from schemas.refusal import Reason, Refusal, refused_data
from schemas.registry import Registry

REGISTRY = Registry.discover()
CONTRACTS = {name: Contract(*described) for name, described in REGISTRY.types.items()}
CUSTOMER = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        5,
        7.5,
        2**64,
        "",
        "5",
        "inbound",
        "csat",
        "129.90",
        "EUR",
        "2026-03-02",
        "x" * 300,
        [],
        [{}],
        [1],
        {},
        CUSTOMER,
        {"identifiers": []},
        {"identifiers": [{"type": "x", "value": 5}], "name": 1},
    ]
)


def judged(judge: Any, data: object) -> list[tuple[str, tuple[int | str, ...]]]:
    try:
        judge(data)
    except ValidationError as error:
        return [(wrong["type"].replace("model_", "dict_"), wrong["loc"]) for wrong in error.errors()]
    return []


@given(st.data(), st.sampled_from(sorted(CONTRACTS)))
@settings(deadline=None, max_examples=300)
def test_it_finds_what_the_model_finds(draw: st.DataObject, name: str) -> None:
    described = REGISTRY.types[name][1]
    good = {"customer": CUSTOMER, **described.example}
    data = {**good, **draw.draw(st.dictionaries(st.sampled_from(sorted(described.data.model_fields)), VALUES))}
    assert judged(described.data.model_validate, data) == judged(CONTRACTS[name].validate, data)


class Size(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    width: int
    depth: int | None = None


class Tour(BaseModel):
    """A model with a rule of its own."""

    first: Size
    last: Size

    @model_validator(mode="after")
    def _grows(self) -> Tour:
        if self.last.width < self.first.width:
            raise ValueError("the last must not be narrower than the first")
        return self


class Loaded(EventData):
    """A truck was loaded."""

    tour: Tour
    spare: Size | None = None
    weights: dict[str, int] = Field(default_factory=dict)


LOGISTICS = Contract(Department(name="logistics", types=()), EventType(name="logistics.truck.loaded.v1", data=Loaded))
TOUR = {"first": {"width": 1}, "last": {"width": 2, "depth": 3}}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"tour": {**TOUR, "last": {"width": "2"}}},
            'data.tour.last.width is the string "2"; expected a whole number.',
        ),
        (
            {"spare": {"width": 1, "height": 1}},
            "data.spare.height is the number 1: Extra inputs are not permitted.",
        ),
        ({"weights": {"x": "1"}}, 'data.weights.x is the string "1": Input should be a valid integer.'),
        (
            {"tour": {"first": {"width": 3}, "last": {"width": 2}}},
            "data.tour is an object: Value error, the last must not be narrower than the first.",
        ),
    ],
)
def test_nested_models_of_a_department_keep_their_rules(fields: dict[str, Any], sentence: str) -> None:
    data = {"customer": CUSTOMER, "tour": TOUR, "spare": {"width": 1}, **fields}
    assert judged(Loaded.model_validate, data) == judged(LOGISTICS.validate, data)
    with pytest.raises(ValidationError) as caught:
        LOGISTICS.validate(data)
    assert Refusal(Reason.INVALID_DATA, sentence) == refused_data(caught.value, LOGISTICS.schema)


def test_a_good_event_of_such_a_department_is_taken() -> None:
    data = {"customer": CUSTOMER, "tour": TOUR, "spare": {"width": 1}, "weights": {"x": 1}, "extra": 1}
    assert [] == judged(LOGISTICS.validate, data)
