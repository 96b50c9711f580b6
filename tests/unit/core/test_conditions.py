"""What conditions answer, and until when; the parser's refusals of what they can't be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.guard import instructions
from core.alerts.history import CustomerHistory, EmptyHistory, folded_entries
from core.alerts.matching import FoldInput, fold, instants
from core.rules.conditions.condition import Condition, Now, first
from core.rules.parsing import parse_condition, parse_rule
from core.rules.reading import RuleError
from core.rules.ruleset import RuleSet
from core.timeline.derived import Derived
from core.timeline.entry import BEFORE_ALL, DAY, FOREVER, HOUR, Entry

from .bench import START, VOCABULARY, complaint, entry


def asking(condition: Mapping[str, object], key: str | None = None) -> RuleSet:
    """A rule set that asks this of every visit."""
    raw = {
        "rule": "asks", "about": "-", "version": 1, "when": "web.page.viewed.v1", "if": condition, "severity": "info",
        "notify": ["sales"], "reason": "-", "action": "-",
    }  # fmt: skip
    return RuleSet([parse_rule(raw if key is None else raw | {"key": key}, VOCABULARY, ["sales"])], VOCABULARY)


def known(rules: RuleSet, entries: Sequence[Entry]) -> tuple[Condition, Now]:
    """The condition, and what is known after the entries, asked then."""
    history = sorted(entries)
    past = CustomerHistory(EmptyHistory(), "c", history, rules)
    base = Derived(BEFORE_ALL, rules.empty)
    derived = fold(rules, base, FoldInput(instants(folded_entries(history, rules))), past).derived
    t = max(derived.at, START)
    return rules.rules["asks"].condition, Now(derived, past, t, {}, "", t)


@pytest.mark.parametrize("value", [["phone"], {"is": "phone"}, None])
def test_a_field_is_compared_with_one_value(value: object) -> None:
    with pytest.raises(RuleError, match=r"if\.where: a field is one word, number or truth"):
        parse_condition(
            {"seen": "sales.call.completed.v1", "within": "1h", "where": {"channel": value}},
            "if", VOCABULARY, None, resolving=False,
        )  # fmt: skip


def test_no_rule_looks_at_answers_to_alerts() -> None:
    with pytest.raises(RuleError, match="is an answer to an alert"):
        parse_condition({"seen": "bus.alert.acknowledged.v1", "within": "1h"}, "if", VOCABULARY, None, resolving=False)


def test_whoever_was_never_contacted_left_nothing_unanswered() -> None:
    condition, now = known(asking({"unanswered": "contact", "at_least": 3, "within": "1d"}), [complaint(START)])
    assert (None, FOREVER) == (condition.holds(now), condition.changes(now))


@pytest.mark.parametrize(("key", "named"), [(None, True), ("invoiceId", False)])
def test_what_may_be_asked_of_any_matter_keeps_them_all(key: str | None, named: bool) -> None:
    """A reminder may name no invoice: `same` then means any, also one that was closed long ago."""
    told = {"invoiceId": "I1", "total": "0.00", "currency": "EUR"}
    story = [
        entry(START, "finance.invoice.issued.v1", told, 1),
        entry(START + 90 * DAY, "finance.invoice.issued.v1", told | {"invoiceId": "I2", "total": "1.00"}, 2),
    ]
    condition, now = known(asking({"closed": "invoice", "same": "invoiceId"}, key), story)
    assert named == (condition.holds(now) is not None)


def test_of_a_matter_that_is_named_the_history_knows_however_long_ago_it_was_closed() -> None:
    told = {"invoiceId": "I1", "total": "0.00", "currency": "EUR"}
    story = [
        entry(START, "finance.invoice.issued.v1", told, 1),
        entry(START + 90 * DAY, "finance.invoice.issued.v1", told | {"invoiceId": "I2", "total": "1.00"}, 2),
    ]
    condition, now = known(asking({"closed": "invoice", "same": "invoiceId"}, "invoiceId"), story)
    answers = [condition.holds(replace(now, key=key)) for key in ("I1", "I2", "I3")]
    assert [START, None, None] == [answer and answer[0].entry.at for answer in answers]


def closed_one_after_the_other(number: int, apart: int) -> list[Entry]:
    """So many cases that were opened at the start and closed then, each so long after the one before (µs)."""
    story = []
    for case in range(number):
        named = {"caseId": f"K{case}"}
        story.append(entry(START + case, "service.case.opened.v1", named | {"category": "complaint"}, 2 * case))
        story.append(entry(START + (case + 1) * apart, "service.case.resolved.v1", named, 2 * case + 1))
    return story


def test_many_closed_matters_hold_until_the_last_of_them_leaves_the_window() -> None:
    story = closed_one_after_the_other(5, HOUR)
    condition, now = known(asking({"closed": "case", "within": "6h"}), story)
    assert START + 11 * HOUR == condition.changes(now)
    none, now = known(asking({"none": {"closed": "case", "within": "6h"}}), story)
    assert START + 11 * HOUR == first(none, now)


def test_an_end_is_found_in_the_time_of_the_matters_that_it_depends_on_and_not_in_their_square() -> None:
    found = []
    for number in (50, 400):
        story = closed_one_after_the_other(number, 1_000_000)
        condition, now = known(
            asking({"none": {"closed": {"case": {"category": "complaint"}}, "within": "72h"}}), story
        )
        end, count = instructions(partial(first, condition, now))
        assert START + number * 1_000_000 + 72 * HOUR == end
        found.append(count)
    assert found[1] <= 8.1 * found[0]


def test_once_an_invoice_is_overdue_the_due_dates_of_others_change_nothing() -> None:
    bill = {"total": "1.00", "currency": "EUR"}
    story = []
    for day in (1, 5, 7):
        told = bill | {"invoiceId": f"I{day}", "dueDate": f"2026-03-0{day}"}
        story.append(entry(START + day, "finance.invoice.overdue.v1", told, day))
    condition, now = known(asking({"overdue": "invoice"}), story)
    assert condition.holds(now) is not None
    assert FOREVER == condition.changes(now)


# --- until when an answer holds ---------------------------------------------------------------------------------------

HOURS = st.integers(1, 4).map(lambda number: f"{number}h")
ATOMS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from(["complaint", "billing"]).map(lambda category: {"open": {"case": {"category": category}}}),
    HOURS.map(lambda within: {"closed": "case", "within": within}),
    st.just({"closed": "case"}),
    st.integers(0, 1).map(lambda days: {"overdue": "invoice", "days": days}),
    HOURS.map(lambda within: {"seen": "engaged", "within": within}),
    HOURS.map(lambda within: {"seen": ["sales.call.completed.v1", "contact"], "within": within}),
    st.tuples(st.integers(1, 2), HOURS).map(
        lambda two: {"unanswered": "contact", "at_least": two[0], "within": two[1]}
    ),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda parts: st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(parts, min_size=1, max_size=3)).map(
        lambda two: {two[0]: two[1]}
    ),
    max_leaves=5,
)
BILL = {"invoiceId": "I1", "total": "10.00", "currency": "EUR"}
TOLD = st.sampled_from(
    [
        ("service.case.opened.v1", {"caseId": "K1", "category": "complaint"}),
        ("service.case.opened.v1", {"caseId": "K2", "category": "billing"}),
        ("service.case.resolved.v1", {"caseId": "K1"}),
        ("service.case.resolved.v1", {"caseId": "K2"}),
        ("finance.invoice.overdue.v1", {**BILL, "dueDate": "2026-03-02"}),
        ("finance.payment.received.v1", {**BILL, "paymentId": "P1"}),
        ("sales.call.completed.v1", {"callId": "L", "direction": "outbound", "outcome": "no_answer"}),
        ("service.conversation.ended.v1", {"direction": "inbound"}),
    ]
)
STORIES = st.lists(st.tuples(st.integers(0, 6), TOLD), max_size=7)


@given(CONDITIONS, STORIES)
@settings(max_examples=400, deadline=None)
def test_an_answer_holds_until_the_instant_that_it_names_and_the_first_yes_is_found(
    raw: dict[str, Any], story: list[tuple[int, tuple[str, dict[str, Any]]]]
) -> None:
    """Against every instant at which anything can change: full hours after the start, beside each other."""
    entries = [entry(START + at * HOUR, *told, number) for number, (at, told) in enumerate(story)]
    condition, now = known(asking(raw), entries)
    edges = [at for hour in range(60) for at in (START + hour * HOUR - 1, START + hour * HOUR) if at >= now.t]
    answers = {at: condition.holds(replace(now, t=at)) is not None for at in edges}
    for place, at in enumerate(edges):
        until = condition.changes(replace(now, t=at))
        assert at < until
        for later in edges[place + 1 :]:
            assert later >= until or answers[later] == answers[at], (at, later, until)
    yes = [at for at in edges if answers[at]]
    assert min(yes, default=FOREVER) == first(condition, replace(now, t=edges[0]))
