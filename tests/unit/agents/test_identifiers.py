"""Identifiers: different spellings of one thing are one node; what identifies nobody is dropped."""

from __future__ import annotations

import pytest

from agents.identifiers import Identifiers, mask

IDS = Identifiers(b"a key for tests only", region="GB")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ada@Example.com", " ada@example.COM "),
        ("phone", "+44 20 7946 0018", "020 7946 0018"),
        ("phone", "0044 20 79460018", "(020) 7946-0018"),
        ("customer_no", "c-1042", "C-1042"),
        ("social", "Mastodon:@Ada", "mastodon:ada"),
        ("login", "ADA", "ada"),
        ("Email", "ada@example.com", "ada@example.com"),
    ],
)
def test_two_spellings_are_one_node(kind: str, one: str, other: str) -> None:
    first = IDS.of([(kind, one)])
    assert first == IDS.of([(kind.lower(), other)])
    assert 1 == len(first.nodes)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("customer_no", "null"),
        ("customer_no", " Guest "),
        ("customer_no", "000000"),
        ("customer_no", "-1"),
        ("email", "not an address"),
        ("email", "a@b@c"),
        ("phone", "12"),
        ("phone", "call me"),
        ("social", "mastodon:"),
        ("device", ""),
        ("device", "\ud800"),
    ],
)
def test_what_identifies_nobody_is_blocked_and_counted(kind: str, value: str) -> None:
    assert ((), (), 1) == IDS.of([(kind, value)])


def test_a_national_number_needs_a_region() -> None:
    assert 1 == Identifiers(b"a key for tests only").of([("phone", "020 7946 0018")]).blocked


def test_the_strongest_comes_first_and_copies_count_once() -> None:
    found = IDS.of(
        [("device", "d1"), ("email", "Ada@example.com"), ("customer_no", "C-1"), ("email", "ada@example.com")]
    )
    assert ["customer_no", "email", "device"] == [node.type for node in found.nodes]
    assert 0 == found.blocked


def test_hashes_depend_on_the_key_and_show_nothing() -> None:
    other = Identifiers(b"another key for tests")
    assert IDS.hash("email", "ada@example.com") != other.hash("email", "ada@example.com")
    assert "ada" not in str(IDS.of([("email", "ada@example.com")]).nodes)
    assert IDS.fingerprint != other.fingerprint


def test_the_company_blocks_its_own_switchboard() -> None:
    ids = Identifiers(b"a key for tests only", region="GB", blocked=["+442079460000"])
    assert 1 == ids.of([("phone", "020 7946 0000")]).blocked


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Identifiers(b"short")


def test_masks_can_be_recognised_but_not_used() -> None:
    assert ("email", "a…@example.com") == mask("email", "ada@example.com")
    assert ("phone", "+4…18") == mask("phone", "+442079460018")
    assert ("customer_no", "…1") == mask("customer_no", "C1")
