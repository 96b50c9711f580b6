"""What is remembered of matters outside of the states: only what is true, and only so much."""

from __future__ import annotations

import pytest

from agents import matter_cache as remembered
from agents.matter_cache import MatterCache
from agents.snapshots import Snapshots
from core.timeline.features import Ref
from core.timeline.invoices import Bill, Money
from core.timeline.matters import Matter

CLOSED = Matter(False, Ref(5, bytes(16)), True)
INVOICE, CASE = ("invoice", "I1"), ("case", "K1")


def kept(customer: str = "a", until: int = 10) -> Snapshots:
    snapshots = Snapshots()
    snapshots.cache_matter(customer, *INVOICE, until, CLOSED)
    return snapshots


def test_a_state_answers_for_its_instant_and_later_ones() -> None:
    snapshots = kept()
    assert (10, CLOSED) == snapshots.cached_matter("a", *INVOICE, 10) == snapshots.cached_matter("a", *INVOICE, 11)
    assert snapshots.cached_matter("a", *INVOICE, 9) is None
    assert snapshots.cached_matter("a", *CASE, 10) is None
    assert snapshots.cached_matter("b", *INVOICE, 10) is None


@pytest.mark.parametrize(("since", "void"), [(0, True), (9, True), (10, False)])
def test_what_is_new_makes_void_what_does_not_know_of_it(since: int, void: bool) -> None:
    snapshots = kept()
    snapshots.invalidate("b", 0)
    assert snapshots.cached_matter("a", *INVOICE, 10)
    snapshots.invalidate("a", since)
    assert void is (snapshots.cached_matter("a", *INVOICE, 10) is None)


def test_nothing_is_known_of_a_unit_of_work_that_failed_or_of_who_is_forgotten() -> None:
    snapshots = kept()
    snapshots.written()
    snapshots.drop()
    assert snapshots.cached_matter("a", *INVOICE, 10)
    snapshots.cache_matter("b", *CASE, 10, CLOSED)
    snapshots.drop()
    assert snapshots.cached_matter("a", *INVOICE, 10) is None
    snapshots = kept()
    snapshots.forget("a")
    assert snapshots.cached_matter("a", *INVOICE, 10) is None


def test_who_was_named_longest_ago_goes_first_and_payments_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 10)
    matters = MatterCache()
    paid = Matter(False, None, False, (), Bill(paid={f"P{n}": Money(n, "EUR", "1.00") for n in range(6)}))
    for customer, matter in (("a", CLOSED), ("b", CLOSED), ("a", CLOSED), ("c", paid)):
        matters.keep(customer, *INVOICE, 10, matter)
    assert ["a", "b", "c"] == [one for one in "abc" if matters.before(one, *INVOICE, 10)]
    matters.keep("c", *CASE, 10, CLOSED)
    matters.keep("c", *("case", "K2"), 10, CLOSED)
    assert ["a", "c"] == [one for one in "abc" if matters.before(one, *INVOICE, 10)]
    matters.invalidate("c", 9)
    matters.forget("a")
    matters.keep("d", *INVOICE, 10, paid)
    matters.keep("d", *CASE, 10, CLOSED)
    assert matters.before("d", *INVOICE, 10)
    matters.keep("e", *INVOICE, 10, paid)
    assert ["e"] == [one for one in "abcde" if matters.before(one, *INVOICE, 10)]
