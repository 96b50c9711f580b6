"""What the one pass takes, the codec takes with the same result, whatever comes and whatever a contract asks for."""

from __future__ import annotations

import json
from itertools import product
from typing import Annotated, Any, Literal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from schemas.codec import PASSED_OVER, Codec, Decoded
from schemas.department import Department, EventData, EventType
from schemas.fields import Count, Currency, Date, Id, Instant, Items, Money, Seconds, Word, known_currency
from schemas.refusal import Refusal
from schemas.registry import Registry
from schemas.visible import VISIBLE

REGISTRY = Registry.discover()
CUSTOMER = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
DECLINED = {"bus.alert.acknowledged.v1", "bus.alert.actioned.v1"}
"""Answers."""


class OnePass(Codec):
    """Nothing but the quick way."""

    def _judge(self, *_: Any) -> Any:
        return None

    def take(self, department: str, value: bytes) -> Decoded | Refusal | None:
        return self.decode(department, value, None)


def one_pass(registry: Registry) -> OnePass:
    return OnePass(registry)


def careful(registry: Registry) -> Codec:
    codec = Codec(registry)
    codec._decoders = {}
    return codec


TAKES, CODEC = one_pass(REGISTRY), careful(REGISTRY)


def event(name: str) -> dict[str, Any]:
    whom = {} if name.startswith("bus.") else {"customer": {**CUSTOMER, "name": "Ada"}}
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/x", "type": name, "time": "2026-03-02T09:00:00Z"}
    data = {**whom, **REGISTRY.types[name][1].example}
    copied: dict[str, Any] = json.loads(json.dumps(data))
    return {**attributes, "datacontenttype": "application/json", "data": copied}


def home(name: str) -> str:
    return "sales" if name.startswith("bus.") else REGISTRY.types[name][0].name


@pytest.mark.parametrize("name", sorted(REGISTRY.types))
def test_events_as_they_are_told_to_be_are_taken(name: str) -> None:
    value = orjson.dumps(event(name))
    taken = TAKES.take(home(name), value)
    assert (name in DECLINED) == (taken is None)
    assert taken in (None, CODEC.decode(home(name), value, None))


TEXTS = ["", "x", " ", "\x7f", "\x85", "ü", "\u200b", '"', "\\", "a b", "\0", "\n", "\u2800", "\U0001f600", "\ud800"]
LONG = [sign * size for sign in "xü\n\x01" for size in (16, 17, 43, 64, 65, 128, 129, 256, 257, 512, 513, 8192, 8193)]
WORDS = ["EUR", "eur", "-1.00", "1.00", "1.00\n", "2026-02-30", "2026-03-02", "inbound", "1.0", "email", "spam"]
TIMES = [
    *("2026-03-02T09:00:00.1Z", "2026-03-02T09:00:00.123Z", "2026-03-02T09:00:00.1234567Z", "2026-03-02t09:00:00z"),
    *("2026-03-02T09:00:00+01:00", "2026-03-02 09:00:00Z", "2026-03-02T09:00:60Z", "1969-12-31T23:59:59Z"),
    *("0000-00-00T00:00:00Z", "9999-12-31T23:59:59-01:00", "2026-03-02T24:00:00Z", "2026-W10-1T09:00:00Z"),
]
VALUES: list[Any] = [
    *(None, True, 0, 1, -1, 1.0, 1.5, -0.0, 10**9, 10**9 + 1, 2**53 - 1, 2**53, 2**64, 10**400, 1e308),
    *([], {}, [[]], [{}], {"a": {}}, [{"a": {}}], [{"a": 1, "b": None, "c": 1e300, "d": "x"}], [{"a": 10**400}]),
    *(CUSTOMER, {"identifiers": CUSTOMER["identifiers"] * 100}, {"identifiers": CUSTOMER["identifiers"] * 101}),
    [[[[[[[[]]]]]]]],
]
NAMES = ["type", "id", "data", "time", "recordedtime", "subject", "datacontenttype", "data_base64", "zz", "customer"]
PIECES = [
    *(
        b'"',
        b"\\",
        b"1",
        b"-",
        b"0",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
    ),
    *(b"\\u0000", b"\\u001f", b"\\ud800", b"\\u00fc", b"\\n", b"\0", b"\x1f", b"\x7f", b"e999", b"E5", b"1" * 400),
    *(
        b'"id":"e-2",',
        b'"type":"web.page.viewed.v1",',
        b'"zz":1e999,',
        b'"zz":"\xff",',
        b"null",
        b"NaN",
        b"\xef\xbb\xbf",
    ),
]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Everything in it, as its owner and its place there."""
    inside = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [found for place, child in inside for found in ((node, place), *places(child))]


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, bytes]:
    """An event of any type, with some of it replaced, added, left out, and then some bytes."""
    name = draw(st.sampled_from(sorted(REGISTRY.types)))
    one = event(name)
    said = st.sampled_from([*TEXTS, *LONG, *WORDS, *TIMES, *VALUES])
    for _ in range(draw(st.integers(0, 3))):
        owner, place = draw(st.sampled_from(places(one) or [(one, "type")]))
        match draw(st.integers(0, 5)):
            case 0:
                owner.pop(place, None) if isinstance(owner, dict) else owner.clear()
            case 1 if isinstance(owner, dict):
                owner[draw(st.sampled_from(NAMES))] = json.loads(json.dumps(draw(said)))
            case _:
                owner[place] = json.loads(json.dumps(draw(said)))
    try:
        value = json.dumps(one, ensure_ascii=draw(st.booleans())).encode()
    except UnicodeEncodeError:
        value = json.dumps(one).encode()
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at, gone = draw(st.integers(0, len(value))), draw(st.sampled_from([0, 0, 1, 3]))
        value = value[:at] + draw(st.sampled_from(PIECES)) + value[at + gone :]
    return home(name), value


@given(sent())
@settings(deadline=None, max_examples=600)
def test_what_it_takes_the_codec_takes_with_the_same_result(record: tuple[str, bytes]) -> None:
    department, value = record
    taken = one_pass_of(department).take(department, value)
    if taken is not None:
        assert CODEC.decode(department, value, None) == taken


def one_pass_of(department: str) -> OnePass:
    """One that passes nothing over."""
    TAKES._passed_over[department] = 0
    return TAKES


@pytest.mark.parametrize("text", [*TEXTS[:-1], *LONG])
@pytest.mark.parametrize("name", ["id", "source", "time", "subject", "caseId", "category", "summary", "type", "value"])
def test_each_text_where_it_may_stand(name: str, text: str) -> None:
    one = event("service.case.opened.v1")
    owners = [one] if name != "type" else []
    for owner in (*owners, one["data"], one["data"]["customer"]["identifiers"][0]):
        if name in owner or name == "subject":
            owner[name] = text
            break
    value = orjson.dumps(one)
    taken = one_pass_of("service").take("service", value)
    assert taken in (None, CODEC.decode("service", value, None))


@pytest.mark.parametrize("name", ["K 1", "Fr\u00fchling 26", "\u2800x", "x\x7f"])
def test_a_name_with_something_to_see_is_taken_whatever_else_it_has(name: str) -> None:
    one = event("service.case.opened.v1")
    one["data"]["caseId"] = name
    value = orjson.dumps(one)
    assert one_pass_of("service").take("service", value) == CODEC.decode("service", value, None) is not None


@pytest.mark.parametrize(
    "said", [b"1e999", b'"\xff"', b'"\\ud800"', b"1" * 400, b'"\\u0000"', b"[" * 70 + b"]" * 70], ids=len
)
def test_what_nobody_declared_is_declined_because_it_is_not_looked_at(said: bytes) -> None:
    value = orjson.dumps(event("service.case.opened.v1"))[:-2] + b',"zz":' + said + b"}}"
    assert one_pass_of("service").take("service", value) is None


@pytest.mark.parametrize("where", ["id", "type", "time", "data", "more"])
@pytest.mark.parametrize("depth", [500, 1_100, 100_000])
def test_what_is_nested_too_deep_is_declined_and_put_into_words(where: str, depth: int) -> None:
    told = {**event("web.page.viewed.v1"), where: "?"}
    value = json.dumps(told).encode().replace(b'"?"', b"[" * depth + b"]" * depth)
    assert CODEC.decode("web", value, None) == Codec(REGISTRY).decode("web", value, None)


def test_a_department_that_adds_fields_is_looked_at_now_and_then() -> None:
    takes, one = one_pass(REGISTRY), event("service.case.opened.v1")
    plain = orjson.dumps(one)
    own = orjson.dumps({**one, "data": {**one["data"], "ourOwn": 1}})
    assert takes.take("service", own) is None
    assert [None] * PASSED_OVER == [takes.take("service", plain) for _ in range(PASSED_OVER)]
    assert takes.take("service", plain) is not None


def test_an_event_that_is_wrong_does_not_keep_the_next_ones_from_being_taken() -> None:
    takes, one = one_pass(REGISTRY), event("service.case.opened.v1")
    assert takes.take("service", orjson.dumps({**one, "data": {**one["data"], "caseId": 5}})) is None
    assert takes.take("service", orjson.dumps(one)) is not None


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("odd")
    return number


FIELDS: list[Any] = [
    *(Id, Word, Money, Currency, Date, Instant, Seconds, Count, Items, str, int, float, bool, Literal["x", "1.00"]),
    *(
        Literal[1, True],
        list[str],
        list[Word],
        dict[str, Any],
        dict[str, int],
        Any,
        str | int,
        Word | None,
        list[Id] | None,
    ),
    *(Annotated[str, Field(pattern="^x$")], Annotated[str, Field(min_length=2)], Annotated[str, Field(strict=False)]),
    *(Annotated[str, Field(pattern=VISIBLE)], Annotated[str, Field(max_length=2), AfterValidator(known_currency)]),
    *(Annotated[int, Field(multiple_of=2)], Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0, lt=5)]),
    *(Annotated[float, Field(gt=0)], Annotated[float, Field(ge=1, le=1.5)], Annotated[int, AfterValidator(_even)]),
    *(
        Annotated[str, Field(alias="zz")],
        Annotated[str, AfterValidator(str.strip)],
        Annotated[int, Field(strict=False)],
    ),
    *(Annotated[list[Any], Field(min_length=1, max_length=1)], Annotated[bytes, Field(max_length=3)]),
]
CONFIGS = [{}, {"strict": False}, {"str_strip_whitespace": True}, {"str_max_length": 3}, {"extra": "forbid"}]


def company(field: Any, config: dict[str, Any], default: bool) -> Registry:
    """A company's own department, with a contract of that field."""
    body: dict[str, Any] = {"__annotations__": {"own": field}, "model_config": ConfigDict(**config)}  # type: ignore[typeddict-item]
    data = type("Own", (EventData,), {**body, **({"own": None} if default else {}), "__module__": __name__})
    return Registry([Department(name="depot", types=(EventType(name="depot.parcel.lost.v1", data=data),))])


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("field", FIELDS, ids=range(len(FIELDS)))
def test_no_contract_is_taken_for_wider_than_it_is(field: Any, default: bool, config: dict[str, Any]) -> None:
    registry = company(field, config, default)
    takes, codec = one_pass(registry), careful(registry)
    lost = {**event("web.page.viewed.v1"), "type": "depot.parcel.lost.v1"}
    for said in [*TEXTS[:-1], *LONG, *WORDS, *TIMES, *VALUES]:
        value = json.dumps({**lost, "data": {"customer": CUSTOMER, "own": said}}).encode()
        taken = takes.take("depot", value)
        assert taken in (None, codec.decode("depot", value, None)), said


def _of_its_currency(total: float, info: ValidationInfo) -> float:
    if info.data.get("currency") == "EUR" and total > 1:
        raise ValueError("too much")
    return total


def _of_its_place(total: float, info: ValidationInfo) -> float:
    if next(iter(info.data)) == "customer":
        raise ValueError("not behind the customer")
    return total


def _of_its_word(total: float, info: ValidationInfo) -> float:
    if "word" not in info.data or info.data["word"] == "EUR":
        raise ValueError("not that word")
    return total


def _of_whom(total: float, info: ValidationInfo) -> float:
    if type(info.data.get("customer")) is dict:
        raise ValueError("somebody")
    return total


def _of_all(total: float, info: ValidationInfo) -> float:
    if len(info.data) > 2 or "word" in info.data:
        raise ValueError("too many")
    return total


def _by_its_name(total: float, info: ValidationInfo) -> float:
    if info.field_name == "total":
        raise ValueError("so it is called")
    return total


JUDGES = [_of_its_currency, _of_its_word, _of_its_place, _of_whom, _of_all, _by_its_name]


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("currency", [Currency, Literal["EUR", "GBP"], Word | None])
def test_what_is_judged_by_fields_before_it_is_never_taken_for_better_than_it_is(judge: Any, currency: Any) -> None:
    annotations = {"word": Word, "currency": currency, "total": Annotated[float, AfterValidator(judge)], "after": Word}
    data = type("Own", (EventData,), {"__annotations__": annotations, "__module__": __name__})
    registry = Registry([Department(name="depot", types=(EventType(name="depot.parcel.lost.v1", data=data),))])
    takes, codec = one_pass(registry), careful(registry)
    lost = {**event("web.page.viewed.v1"), "type": "depot.parcel.lost.v1"}
    for word, named, total in product(["x", "EUR"], ["EUR", "GBP", None], [0, 1.5, "1", None]):
        own = {"word": word, "currency": named, "total": total, "after": "x"}
        value = json.dumps({**lost, "data": {"customer": CUSTOMER, **own}}).encode()
        assert takes.take("depot", value) in (None, codec.decode("depot", value, None)), own


def test_what_is_judged_by_fields_before_it_is_taken() -> None:
    one = event("service.feedback.submitted.v1")
    assert one_pass_of("service").take("service", orjson.dumps(one)) is not None
    one["data"]["value"] = 6
    assert one_pass_of("service").take("service", orjson.dumps(one)) is None
    one["data"]["metric"] = "ces"
    assert one_pass_of("service").take("service", orjson.dumps(one)) is not None


def test_a_model_that_judges_by_itself_is_declined() -> None:
    class Own(EventData):
        own: Word

        @field_validator("own", mode="before")
        @classmethod
        def trimmed(cls, said: Any) -> Any:
            return said[:1]

    registry = Registry([Department(name="depot", types=(EventType(name="depot.parcel.lost.v1", data=Own),))])
    one = {**event("web.page.viewed.v1"), "type": "depot.parcel.lost.v1", "data": {"customer": CUSTOMER, "own": "ab"}}
    assert one_pass(registry).take("depot", orjson.dumps(one)) is None
    assert isinstance(careful(registry).decode("depot", orjson.dumps(one), None), Decoded)
