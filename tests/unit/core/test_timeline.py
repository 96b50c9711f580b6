"""What a timeline still knows of what it no longer holds."""

from __future__ import annotations

import pytest
from core.timeline import Timeline

from core import timeline

from .bench import RULES


def test_a_mark_counts_where_one_begins_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_mark", lambda _entity, matter: matter)
    held = Timeline(RULES.plan, settled="abcdxaaaaaaa")
    assert [True, True, True] == [held.is_settled("case", mark) for mark in ("abcd", "xaaa", "aaaa")]
    assert [False, False, False] == [held.is_settled("case", mark) for mark in ("bcdx", "daaa", "efgh")]
    assert not Timeline(RULES.plan).is_settled("case", "abcd")


def test_a_case_and_an_invoice_of_the_same_name_are_two_matters() -> None:
    held = Timeline(RULES.plan, settled=timeline._mark("case", "1"))
    assert held.is_settled("case", "1")
    assert not held.is_settled("invoice", "1")
