"""Identifiers: order, types, hashes and masks, what a company blocks, and who is meant, as the oracle says too."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dropped import refusal
from agents.identifiers import Identifiers
from agents.normalisation import Normalisation
from agents.short_cache import CACHED, ShortCache
from tests.oracle import identifiers as oracle
from tests.oracle.worlds import EXAMPLES, SAME_WORLDS

from .bench import IDENTIFIERS as IDS
from .bench import KEY, NORMALISATION


def test_the_strongest_comes_first_and_copies_count_once() -> None:
    found = IDS.of(
        [("device", "d1"), ("email", "Ada@example.com"), ("customer_no", "C-1"), ("email", "ada@example.com")]
    )
    assert ["customer_no", "email", "device"] == [node.type for node in found.nodes]
    assert () == found.dropped


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        *(("e-mail", "email"), ("Mail", "email"), ("email ", "email"), ("e\u200bmail", "email"), ("emial", "email")),
        *(
            ("customer_id", "customer_no"),
            ("customerNumber", "customer_no"),
            ("phone_number", "phone"),
            ("tel", "phone"),
        ),
        *(("loyalty-no", "loyalty_no"), ("loyalty_nr", "loyalty_no"), ("cookie", "device"), ("user name", "login")),
    ],
)
def test_of_a_type_that_is_nearly_ours_is_said_which_one_is_meant(kind: str, meant: str) -> None:
    judged = Normalisation(types=["loyalty_no"]).judge([("email", "ada@example.com"), (kind, "ada@example.com")])
    dead = refusal(*judged)
    assert dead is not None
    assert "invalid-data" == dead.reason
    assert "data.customer.identifiers[1].type is " in dead.message
    assert f'did you mean "{meant}"?' in dead.message


def test_another_type_is_refused_without_a_word_of_what_it_was() -> None:
    dead = refusal(*Normalisation(types=["loyalty_no"]).judge([("Ada Lovelace", "x")]))
    assert dead is not None
    assert "data.customer.identifiers[0].type is not a type of identifier; expected customer_no" in dead.message
    assert "loyalty_no" in dead.message
    assert "ada" not in dead.message.lower()


def test_a_company_has_types_of_its_own_behind_the_others() -> None:
    ids = Identifiers(KEY, types=["loyalty_no", "badge"])
    found = ids.of([("loyalty_no", "L-1"), ("badge", "B1"), ("device", "d1")])
    assert ["device", "badge", "loyalty_no"] == [node.type for node in found.nodes]


def test_who_is_nobody_is_told_by_place_type_and_reason_and_never_by_value() -> None:
    many = [("login", f"{{{{user{number}}}}}") for number in range(9)]
    dead = refusal(*NORMALISATION.judge([("customer_no", "nan"), ("phone", "+1 555 555 5555"), *many]))
    assert dead is not None
    assert "no-identifier" == dead.reason
    assert (
        "none of data.customer.identifiers identifies anybody: [0] (customer_no) is a placeholder, "
        "[1] (phone) is not a valid telephone number, [2] (login) is a template that nobody filled in, "
    ) in dead.message
    assert "and 6 more; send at least one that does." in dead.message
    assert "555" not in dead.message
    assert refusal(*NORMALISATION.judge([("customer_no", "nan"), ("email", "ada@example.com")])) is None


def test_hashes_depend_on_the_key_and_show_nothing() -> None:
    other = Identifiers(b"another key for tests")
    assert IDS.hash("email", "ada@example.com") != other.hash("email", "ada@example.com")
    assert "ada" not in str(IDS.of([("email", "ada@example.com")]).nodes)
    assert IDS.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("entry", "blocked", "not_blocked"),
    [
        ("+442079460000", ("phone", "020 7946 0000"), ("phone", "020 7946 0001")),
        ("020 7946 0000", ("phone", "+44 20 7946 0000"), ("phone", "020 7946 0000 x12")),
        ("phone:+44 20 7946 0000", ("phone", "(020) 79460000"), ("customer_no", "+442079460000")),
        ("email:*@Shop.example.com", ("email", "Ada <ada@shop.example.com>"), ("login", "ada@shop.example.com")),
        ("X-99*", ("customer_no", "x-991"), ("customer_no", "x-98")),
        ("x-99*", ("device", "X-99"), ("device", "0X-99")),
        ("*test*", ("login", "load-TEST-7"), ("login", "tset")),
        ("customer_no:9999", ("customer_no", "9999"), ("debtor_no", "9999")),
        ("mastodon:shop", ("social", "Mastodon:@shop"), ("social", "mastodon:shopper")),
        ("loyalty_no:L.1", ("loyalty_no", "l.1"), ("loyalty_no", "L-1")),
    ],
)
def test_a_company_blocks_values_and_patterns_of_a_type_or_of_any(
    entry: str, blocked: tuple[str, str], not_blocked: tuple[str, str]
) -> None:
    ids = Identifiers(KEY, "GB", [entry, "never*seen"], ["loyalty_no"])
    (dropped,) = ids.of([blocked]).dropped
    assert "blocked by CXBUS_BLOCKED_IDENTIFIERS" == dropped.nobody.why
    assert () == ids.of([not_blocked]).dropped


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Identifiers(b"short")


def test_masks_can_be_recognised_but_not_used_and_those_that_look_alike_differ() -> None:
    def masked(kind: str, value: str) -> str:
        ((_, shown),) = IDS.of([(kind, value)]).masked_identifiers
        return shown

    assert masked("email", "ada@example.com").startswith("a…@example.com#")
    assert masked("phone", "020 7946 0018").startswith("+4…18#")
    assert masked("customer_no", "C1").startswith("…1#")
    assert 3 == len({masked("email", f"{name}@example.com") for name in ("ada", "ann", "al")})
    assert masked("email", "ada@example.com") == masked("email", "Ada@Example.com")
    (other,) = Identifiers(b"another key for tests").of([("email", "ada@example.com")]).masked_identifiers
    assert masked("email", "ada@example.com") != other[1]


PARTS = [
    *(
        "null",
        "NaN",
        "n/a",
        "TEST",
        "guest",
        "unbekannt",
        "0",
        "00",
        "1",
        "11",
        "123",
        "456",
        "789",
        "-",
        "_",
        ".",
        " ",
    ),
    *(
        "@",
        "example.com",
        "none",
        "noreply",
        "ada",
        "Zoe\u0308",
        "+",
        "+44 20 7946 0018",
        "020 7946",
        "0018",
        " ext. 12",
    ),
    *("+1 415 555 2671", ";ext=7", "{{", "}}", "${", "%", "*|", "<", ">", "[", "]", "mailto:", "mastodon:", "social:"),
    *(
        "\u202f",
        "\u202a",
        "\u202c",
        "\u200b",
        "\ufeff",
        "\u00ad",
        "\u3000",
        "\ufe0f",
        "é",
        "\uff11",
        "ß",
        "İ",
        "\x00",
        "\ud800",
    ),
]
values = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=5).map("".join),
    st.text(max_size=8),
    st.from_regex(r"[0-9]{5,22}", fullmatch=True),
)
types = st.sampled_from([*oracle.RANKS, "Email", "e-mail", "loyalty_no"])


@given(st.lists(st.tuples(types, values), min_size=1, max_size=4), st.sampled_from([None, "GB", "US"]))
@settings(max_examples=7 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_the_bus_and_the_oracle_agree_on_who_is_meant(pairs: list[tuple[str, str]], region: str | None) -> None:
    sent = {"customer": {"identifiers": [{"type": kind, "value": value} for kind, value in pairs]}}
    wanted = oracle.identifiers(sent, region)
    ids, key = Identifiers(KEY, region), oracle.Key(KEY)
    found = ids.of(pairs)
    assert oracle.nodes(wanted, key) == [(node.type, node.hash) for node in found.nodes]
    assert [key.mask(one) for one in wanted] == [
        {"type": kind, "value": shown} for kind, shown in found.masked_identifiers
    ]
    identifying = [place for place, pair in enumerate(pairs) if oracle.identifier(*pair, region) is not None]
    assert sorted({*range(len(pairs))} - {*identifying}) == [one.place for one in found.dropped]


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ([("login", "ada")], True),
        ([("login", "a" * 251)], True),
        ([("login", "a" * 252)], False),
        ([("login", f"ada{number}") for number in range(4)], True),
        ([("login", f"ada{number}") for number in range(5)], False),
        ([("login", "a" * 122), ("email", "b" * 50 + "@example.com" + " " * 67)], False),
    ],
)
def test_only_what_is_short_is_kept_and_all_is_answered_alike(pairs: list[tuple[str, str]], kept: bool) -> None:
    some = Identifiers(KEY, region="GB")
    first, again = some.shown[tuple(pairs)], some.shown[tuple(pairs)]
    assert first == again
    assert kept == (first is again)
    assert (some.of(pairs).masked_identifiers, [{"type": kind, "value": value} for kind, value in pairs]) == (
        first[0],
        orjson.loads(first[1]),
    )


def test_a_full_cache_begins_anew() -> None:
    cache: ShortCache[int] = ShortCache(len)
    for number in range(CACHED + 1):
        assert 1 == cache[(("login", str(number)),)]
    assert 1 == len(cache)
