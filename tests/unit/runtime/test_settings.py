"""Settings: what can't be is refused with what was meant."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runtime.settings import Settings


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("workers", 0, "expected a number from 1 to 64, or auto"),
        ("workers", "65", "expected a number from 1 to 64, or auto"),
        ("workers", "9" * 5_000, "expected a number from 1 to 64, or auto"),
        ("workers", "٣", "expected a number from 1 to 64, or auto"),
        ("workers", "many", "expected a number from 1 to 64, or auto"),
        ("workers", "", "expected a number from 1 to 64, or auto"),
        ("workers", True, "expected a number from 1 to 64, or auto"),
        ("workers", 1.5, "expected a number from 1 to 64, or auto"),
        ("phone_region", "UK", "did you mean GB?"),
        ("phone_region", "gb", "did you mean GB?"),
        ("phone_region", "GBR", "expected two letters of ISO 3166, such as GB"),
        ("phone_region", "ZZ", "expected two letters of ISO 3166, such as GB"),
        ("identifier_types", ["e-mail"], "expected a-z, 0-9 and _"),
        ("identifier_types", ["mail"], "another name of the type 'email'"),
        ("identifier_types", ["customer_id"], "another name of the type 'customer_no'"),
        ("identifier_types", ["phone"], "is a built-in type"),
        ("identifier_types", ["loyalty no"], "expected a-z, 0-9 and _"),
        ("identifier_types", ["a" * 65], "at most 64"),
        ("blocked_identifiers", ["mail:*@shop.example"], "did you mean 'email'?"),
        ("blocked_identifiers", ["*"], "blocks nothing, or everything"),
        ("blocked_identifiers", ["0800", " "], "blocks nothing, or everything"),
        ("blocked_identifiers", ["email:"], "blocks nothing, or everything"),
        ("blocked_identifiers", ["\u00a0*"], "blocks nothing, or everything"),
        ("blocked_identifiers", ["\u200b*"], "blocks nothing, or everything"),
        ("blocked_identifiers", ["email:\t"], "blocks nothing, or everything"),
    ],
)
def test_what_can_not_be_is_refused_with_what_was_meant(name: str, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({name: value})
    (error,) = refused.value.errors()
    assert (name,) == error["loc"]
    assert words in error["msg"]


def test_what_can_be_is_taken_as_it_is() -> None:
    given = {
        "phone_region": "GB",
        "identifier_types": ["loyalty_no", "badge"],
        "blocked_identifiers": ["0800*", "email:*", "mastodon:shop", "phone:+44 20 7946 0000"],
    }
    assert given == Settings.model_validate(given).model_dump(include=set(given))


@pytest.mark.parametrize(
    ("given", "cores", "workers"),
    [
        ({}, 1, 1),
        ({}, 2, 1),
        ({}, 3, 2),
        ({}, 5, 4),
        ({}, 64, 4),  # the embedded Kafka has four partitions
        ({"partitions": 12, "bootstrap": "k:1"}, 64, 12),
        ({"partitions": 1000, "bootstrap": "k:1"}, 200, 64),
        ({"workers": 3}, 1, 3),
        ({"workers": "auto"}, 4, 3),
    ],
)
def test_workers_fit_the_cores_unless_their_number_is_given(given: dict[str, object], cores: int, workers: int) -> None:
    assert workers == Settings.model_validate(given).worker_count(cores)


def test_a_number_of_workers_may_be_text_and_auto_in_any_case() -> None:
    assert [7, "auto"] == [Settings.model_validate({"workers": given}).workers for given in ("7", "Auto")]
