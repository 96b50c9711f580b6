"""What conditions find out once is theirs alone."""

from __future__ import annotations

import pytest
from core.spans import NEVER
from core.timeline import Plan, Timeline

from core.conditions import AsOf, Condition, InState, UnansweredContacts
from core.event import DAY
from core.rule import RuleError, parse_condition

from .bench import RULES, START, VOCABULARY, complaint, entry


def test_a_condition_is_not_given_the_answer_of_one_that_is_gone() -> None:
    timeline = Timeline.of(RULES.plan, [complaint(START)])

    def asked(category: str) -> object:
        condition: Condition = InState("case", "open", (("category", category),))
        return condition.spans(timeline, "", START)

    there, elsewhere = asked("complaint"), ()
    assert there
    for number in range(200):  # of those that are gone the memory is used again
        assert elsewhere == asked(f"another-{number}")
        assert there == asked("complaint")


def test_equal_conditions_have_one_answer() -> None:
    timeline = Timeline.of(RULES.plan, [complaint(START)])
    for _ in range(3):
        InState("case", "open").holds(AsOf(timeline, START, {}, "", START))
        InState("case", "open").spans(timeline, "", START)
    assert 1 == len(timeline.answers)


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
    assert NEVER == UnansweredContacts(3, DAY).spans(Timeline(RULES.plan), "", START)


@pytest.mark.parametrize(("key", "named"), [(None, True), ("invoiceId", False)])
def test_what_may_be_asked_of_any_matter_keeps_them_all(key: str | None, named: bool) -> None:
    """A reminder may name no invoice: `same` then means any, also one that was closed long ago."""
    condition = parse_condition({"closed": "invoice", "same": "invoiceId"}, "if", VOCABULARY, key, resolving=False)
    plan = Plan(condition.needs(), VOCABULARY)
    told = {"invoiceId": "I1", "total": "0.00", "currency": "EUR"}
    timeline = Timeline.of(plan, [entry(START, "finance.invoice.issued.v1", told, 1)])
    timeline.prune(["invoice"], START + 90 * DAY, whole=True)
    answer = condition.holds(AsOf(timeline, START + 90 * DAY, {}, "", START + 90 * DAY))
    assert named == (answer is not None)
