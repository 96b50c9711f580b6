"""The step, case by case: what the random worlds of the oracle's tests rarely meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import orjson
import pytest
from msgspec import structs

from agents import documents
from core.alerts.message import AlertMessage
from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.step import Forwarded, Merge, Moved, Shipped, step
from core.rules.ruleset import RuleSet
from core.timeline.entry import DAY, HOUR, Entry, midnight, rfc3339

from .bench import RULES, START, VOCABULARY, Bus, arrived, campaign, complaint, entry
from .test_matters import known


def shown(bus: Bus) -> Any:
    """The profile."""
    return orjson.loads(bus.documents["c"].profile)["data"]


def states(bus: Bus) -> list[str]:
    return [said.state for _, said in bus.said]


def test_an_alert_is_said_once_and_its_end_once() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    bus.arrive("c", arrived(campaign(START + HOUR)), START + HOUR)
    bus.arrive("c", arrived(entry(START + 2 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 2)), START + 2 * HOUR)
    assert ["fired"] == states(bus)
    assert [START + 2 * HOUR + 72 * HOUR] == [alert.end for alert in bus.customer("c").alerts if alert.standing]
    later = START + 5 * DAY
    bus.arrive("c", arrived(entry(later, "web.page.viewed.v1", {"url": "u"}, 3)), later)
    bus.arrive("c", arrived(entry(later + 1, "web.page.viewed.v1", {"url": "u"}, 4)), later + 1)
    assert ["fired", "resolved"] == states(bus)
    assert [] == [alert for alert in bus.customer("c").alerts if alert.standing]


def test_what_ends_by_its_expiry_is_expired() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    bus.arrive("c", arrived(campaign(START + HOUR)), START + HOUR)
    later = START + 15 * DAY
    bus.arrive("c", arrived(entry(later, "web.page.viewed.v1", {"url": "u"}, 3)), later)
    assert ["fired", "expired"] == states(bus)


def test_an_alert_found_already_ended_goes_out_once() -> None:
    bus = Bus()
    now = START + 30 * DAY
    bus.arrive("c", arrived(complaint(START)), now)
    bus.arrive("c", arrived(campaign(START + HOUR)), now)
    assert ["expired"] == states(bus)


def three_calls(bus: Bus) -> None:
    for hour, kind in ((0, "L1"), (3, "L2"), (6, "L3")):
        call = {"callId": kind, "direction": "outbound", "outcome": "no_answer"}
        bus.arrive("c", arrived(entry(START + hour * HOUR, "sales.call.completed.v1", call, hour)), START + 7 * HOUR)


def test_a_late_event_retracts_what_no_longer_holds() -> None:
    bus = Bus()
    three_calls(bus)
    reply = entry(START + 4 * HOUR, "service.conversation.ended.v1", {"channel": "phone"}, 50)
    bus.arrive("c", arrived(reply), START + 8 * HOUR)
    assert ["fired", "retracted"] == states(bus)
    assert [] == bus.customer("c").alerts


def test_an_alert_that_was_closed_long_ago_is_kept_without_its_words_and_taken_back_with_them() -> None:
    bus = Bus()
    three_calls(bus)
    bus.arrive("c", arrived(campaign(START + 20 * DAY)), START + 20 * DAY)
    bus.arrive("c", arrived(campaign(START + 21 * DAY, 101)), START + 21 * DAY)
    assert [] == bus.customer("c").alerts
    (kept,) = bus.memory.archived("c")
    assert kept.evidence is None
    assert len(msgspec.msgpack.encode(kept)) < 150
    reply = entry(START + 4 * HOUR, "service.conversation.ended.v1", {"channel": "phone"}, 50)
    bus.arrive("c", arrived(reply), START + 22 * DAY)
    assert ["fired", "expired", "retracted"] == states(bus)
    first, ended, last = (said for _, said in bus.said)
    assert (3, 3, 0) == (len(first.evidence), len(ended.evidence), len(last.evidence))
    assert first.reason
    assert (first.reason, first.action) == (last.reason, last.action)


def test_an_alert_is_forgotten_when_all_that_it_could_silence_is_settled() -> None:
    bus = Bus()
    three_calls(bus)
    for days, closed in ((20, [0]), (400, [0, 20]), (407, [0, 20]), (408, [20, 400])):
        for number in range(3):  # they fatigue anew
            bus.arrive("c", arrived(campaign(START + days * DAY + number, 10 * days + number)), START + days * DAY + 2)
        assert closed == [(alert.time - START) // DAY for alert in bus.memory.archived("c")]


def test_old_matters_and_replays_wake_nobody() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    old = campaign(START + HOUR)
    bus.arrive("c", arrived(old), START + HOUR + DAY + 1)
    fresh = campaign(START + 3 * HOUR, 101, "S2")
    bus.arrive("c", Arrived(fresh, fresh.at, (), replay=True), START + HOUR + DAY + 2)
    assert [True, True] == [said.alert.historical for _, said in bus.said]


def test_a_day_is_not_yet_history() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    bus.arrive("c", arrived(campaign(START + HOUR)), START + HOUR + DAY)
    assert [False] == [said.alert.historical for _, said in bus.said]


def test_what_lies_more_than_400_days_back_is_settled() -> None:
    bus = Bus()
    now = START + 400 * DAY + HOUR
    bus.arrive("c", arrived(complaint(START)), now)
    bus.arrive("c", arrived(campaign(START + HOUR)), now)
    assert [] == states(bus)
    bus.arrive("c", arrived(campaign(START + HOUR + 1, 101, "S2")), now)
    assert ["expired"] == states(bus)


def test_new_rules_rebuild_what_is_kept_and_judge_the_past_no_more() -> None:
    bus = Bus(RuleSet([RULES.rules["contact-fatigue"]], VOCABULARY))
    for made in (complaint(START), campaign(START + HOUR)):
        assert [Written(made, False, 0, bus.rules.taken(made))] == bus.arrive("c", arrived(made), START + HOUR)
    bus.change_rules(RULES)
    assert bus.customer("c").derived is None
    bus.arrive("c", arrived(campaign(START + 2 * HOUR, 101, "S2")), START + 2 * HOUR)
    assert [("fired", "S2")] == [(one.state, one.alert.key) for _, one in bus.said]
    assert bus.customer("c").derived is not None


def test_a_payment_for_an_invoice_settled_long_ago_is_seen_with_its_past() -> None:
    bus = Bus()
    invoice = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "dueDate": "2026-03-10"}
    pay = {"invoiceId": "I1", "total": "10.00", "currency": "EUR"}
    bus.arrive("c", arrived(entry(START, "finance.invoice.issued.v1", invoice, 1)), START)
    bus.arrive("c", arrived(entry(START + 1, "finance.payment.received.v1", pay | {"paymentId": "P1"}, 2)), START + 1)
    later = entry(START + 2 * HOUR, "finance.invoice.issued.v1", invoice | {"invoiceId": "I2", "total": "0.00"}, 4)
    bus.arrive("c", arrived(later), START + 2 * HOUR)
    assert [] == list(known(bus.customer("c"), "invoice")), "they are found in the history"
    overdue = entry(START + 20 * DAY, "finance.invoice.overdue.v1", invoice | {"daysOverdue": 10}, 3)
    bus.arrive("c", arrived(overdue), START + 20 * DAY)
    assert [] == shown(bus)["open"]


def test_a_dunning_for_an_invoice_settled_long_ago_is_resolved_as_it_fires() -> None:
    bus = Bus()
    invoice = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "dueDate": "2026-03-10"}
    paid = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "paymentId": "P1"}
    told = [
        entry(START, "finance.invoice.issued.v1", invoice, 1),
        entry(START + 1, "finance.payment.received.v1", paid, 2),
        entry(START + 2 * HOUR, "finance.invoice.issued.v1", invoice | {"invoiceId": "I2"}, 3),
        entry(START + 3 * HOUR, "service.case.opened.v1", {"caseId": "K1", "category": "billing"}, 4),
    ]
    for one in told:
        bus.arrive("c", arrived(one), one.at)
    assert ["I2"] == list(known(bus.customer("c"), "invoice"))
    dunned = entry(START + 4 * HOUR, "finance.dunning.sent.v1", {"invoiceId": "I1", "level": 1}, 5)
    bus.arrive("c", arrived(dunned), dunned.at + 1)
    assert [("resolved", dunned.at + 1)] == [(said.state, said.alert.end) for _, said in bus.said]


def paid_long_ago(bus: Bus) -> None:
    """Invoice I1, which is no longer held."""
    invoice = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "dueDate": "2026-03-10"}
    paid = {"invoiceId": "I1", "total": "10.00", "currency": "EUR", "paymentId": "P1"}
    for made in (
        entry(START, "finance.invoice.issued.v1", invoice, 1),
        entry(START + 1, "finance.payment.received.v1", paid, 2),
        entry(START + 2 * HOUR, "finance.invoice.issued.v1", invoice | {"invoiceId": "I2"}, 3),
    ):
        bus.arrive("c", arrived(made), made.at)
    assert ["I2"] == list(known(bus.customer("c"), "invoice"))


def dunning(at: int, number: int, invoice: str) -> Arrived:
    return arrived(entry(at, "finance.dunning.sent.v1", {"invoiceId": invoice, "level": 1}, number))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_dunning_for_an_invoice_paid_long_ago_is_over_whether_the_case_comes_before_or_after_it(
    order: tuple[int, int],
) -> None:
    bus, then = Bus(), START + 30 * DAY
    paid_long_ago(bus)
    case = arrived(entry(then - 1, "service.case.opened.v1", {"caseId": "K1", "category": "billing"}, 4))
    records = case, dunning(then, 5, "I1")
    for index in order:
        bus.arrive("c", records[index], then)
    bus.arrive("c", dunning(then, 6, "I2"), then)
    ends = {alert.key: alert.end for alert in bus.customer("c").alerts}
    assert {"I1": then + 1, "I2": then + 14 * DAY} == ends


def test_an_event_a_microsecond_after_a_dunning_for_what_was_paid_long_ago_opens_nothing_again() -> None:
    bus, then = Bus(), START + 30 * DAY
    paid_long_ago(bus)
    for number, at in ((4, then - 1), (6, then + 1)):
        case = entry(at, "service.case.opened.v1", {"caseId": f"K{number}", "category": "billing"}, number)
        if number == 6:
            bus.arrive("c", dunning(then, 5, "I1"), then)
        bus.arrive("c", arrived(case), at)
    (alert,) = bus.customer("c").alerts
    assert (then + 1, False) == (alert.end, alert.standing)


def test_what_ends_an_alert_in_the_instant_of_many_others_does() -> None:
    """A rating of the instant in which dozens of complaints came."""
    bus, then = Bus(), START + 8 * HOUR
    bus.arrive("c", arrived(entry(START, "service.case.resolved.v1", {"caseId": "K1"}, 1)), START)
    rated = entry(START + HOUR, "service.feedback.submitted.v1", {"metric": "nps", "value": 10}, 2)
    bus.arrive("c", arrived(rated), START + HOUR)
    for number in range(40):
        bus.arrive("c", arrived(complaint(then, 10 + number)), then)
    again = entry(then, "service.feedback.submitted.v1", {"metric": "nps", "value": 1}, 3)
    bus.arrive("c", arrived(again), then)
    assert [("fired", START + HOUR + 5 * DAY), ("resolved", then)] == [(s.state, s.alert.end) for _, s in bus.said]
    assert [then] == [alert.end for alert in bus.alerts("c")]


# --- copies ----------------------------------------------------------------------------------------------------------


def ahead(made: Entry, received: int) -> Arrived:
    """A copy that the broker had before it happened, by the department's clock."""
    return Arrived(structs.replace(made, at=min(made.at, received)), made.at, (("email", made.uid[:2]),))


@pytest.mark.parametrize("order", [(-5, -2), (-2, -5)])
def test_of_copies_the_earlier_one_counts_whichever_comes_first(order: tuple[int, int]) -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START - HOUR)))
    first, second = (bus.arrive("c", ahead(campaign(START), START + at))[0] for at in order)
    assert isinstance(first, Written)
    if order[0] < order[1]:
        assert Ignored() == second
    else:
        assert again(structs.replace(campaign(START), at=START - 5), START - 2) == second
    assert [START - 5] == [alert.time for alert in bus.customer("c").alerts]
    assert [rfc3339(START - HOUR), rfc3339(START - 5)] == [one["time"] for one in bus.said[-1][1].evidence], (
        "said with its instant"
    )


def again(made: Entry, stood_at: int) -> Written:
    return Written(made, late=False, nth=0, taken=RULES.taken(made), stood_at=stood_at)


def test_an_alert_whose_trigger_stands_earlier_is_updated() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START - HOUR)), START)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 7), START + 7)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 5), START + 8)
    bus.arrive("c", ahead(campaign(START + HOUR), START + 6), START + 9)
    said = [(said.state, said.alert.time, said.alert.expires) for _, said in bus.said]
    assert [("fired", START + 7, START + 7 + 14 * DAY), ("updated", START + 5, START + 5 + 14 * DAY)] == said


def test_a_copy_that_reaches_the_surviving_customer_before_the_move_is_one_entry_and_one_alert() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START - HOUR)), START)
    bus.arrive("b", ahead(campaign(START + HOUR), START + 5), START + 5)
    entries = sorted(bus.memory.held["b"].values(), key=lambda one: (one.entry.at, one.entry.uid))
    *_, shipped = bus.arrive("b", Merge("a", 3), START + 9)
    assert isinstance(shipped, Shipped)
    bus.arrive("a", arrived(complaint(START - 2 * HOUR, 7)), START + 10)
    bus.arrive("a", ahead(campaign(START + HOUR), START + 7), START + 10)
    (copied,) = bus.customer("a").alerts
    bus.arrive("a", Moved("b/3", 1, tuple(entries), shipped.alerts), START + 11)
    (alert,) = bus.customer("a").alerts
    assert (copied.id, START + 7, START + 5) == (alert.id, copied.time, alert.time)
    assert ("updated", START + 5) == (bus.said[-1][1].state, bus.said[-1][1].alert.time)
    assert 3 == bus.customer("a").entries


def test_what_the_profile_says_of_an_entry_that_stands_earlier_is_of_that_instant() -> None:
    bus = Bus()
    sent = campaign(START + HOUR)
    named = structs.replace(sent, data={**sent.data, "customer": {"name": "Ada"}})
    bus.arrive("c", ahead(named, START + 7))
    older = structs.replace(complaint(START), data={"caseId": "K1", "category": "other", "customer": {"name": "Ida"}})
    bus.arrive("c", arrived(older))
    bus.arrive("c", ahead(named, START - 7))
    customer = bus.customer("c")
    assert (2, START, "Ida") == (customer.entries, customer.last_at, customer.name)
    assert {"marketing": START - 7} == customer.last_contact


# --- answers to alerts -----------------------------------------------------------------------------------------------


def test_an_answer_to_an_alert_is_on_the_timeline_and_counts_nowhere() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    before = bus.customer("c")
    told = {"alertId": "a_1", "customerId": "c", "customer": {"name": "Nobody"}}
    answer = entry(START + DAY, "bus.alert.acknowledged.v1", told, 9)
    assert [Written(answer, late=False, nth=0)] == bus.arrive("c", arrived(answer), START + DAY)
    assert [Ignored()] == bus.arrive("c", arrived(answer), START + DAY)
    assert before == replace(bus.customer("c"), appended=before.appended, until=before.until)
    (written,) = bus.arrive("c", arrived(campaign(START + HOUR, 10, "S2")), START + DAY)[:1]
    assert isinstance(written, Written)
    assert not written.late


def test_an_answer_is_never_late_and_known_again_when_nothing_else_is_known() -> None:
    bus = Bus()
    answer = entry(START, "bus.alert.actioned.v1", {"alertId": "a_1", "customerId": "c"}, 9)
    assert [Written(answer, late=False, nth=0)] == bus.arrive("c", arrived(answer))
    assert [Ignored()] == bus.arrive("c", arrived(answer))
    bus.arrive("c", arrived(complaint(START + DAY)))
    earlier = entry(START - DAY, "bus.alert.actioned.v1", {"alertId": "a_1", "customerId": "c"}, 10)
    assert [Written(earlier, late=False, nth=0)] == bus.arrive("c", arrived(earlier))
    assert 1 == bus.customer("c").entries


def test_what_a_slightly_late_event_retracts_frees_what_it_had_suppressed_before() -> None:
    """Three contacts fire at the third; one in between, late, is suppressed by that; a later reply retracts it."""
    bus = Bus()
    now = START + 3 * HOUR
    for number, hours in enumerate((0.0, 1.0, 3.0, 2.0)):
        data = {"callId": f"{number}", "direction": "outbound", "outcome": "no_answer"}
        bus.arrive("c", arrived(entry(START + int(hours * HOUR), "sales.call.completed.v1", data, number)), now)
    assert ["fired", "updated"] == states(bus)
    reply = entry(START + 5 * HOUR // 2, "service.conversation.ended.v1", {"direction": "inbound"}, 9)
    bus.arrive("c", arrived(reply), now)
    assert ["fired", "updated", "retracted", "resolved"] == states(bus)
    assert [START + hours * HOUR for hours in (3, 3, 3, 2)] == [said.alert.time for _, said in bus.said]


def test_an_alert_that_stands_again_after_a_late_event_is_explained_again() -> None:
    bus = Bus()
    for made in (
        complaint(START),
        campaign(START + HOUR),
        entry(START + 2 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 2),
        campaign(START + 100 * HOUR, 101, "S2"),
        campaign(START + 102 * HOUR, 102, "S3"),
    ):
        bus.arrive("c", arrived(made), made.at)
    assert ["fired", "resolved"] == states(bus)
    assert [None] == [alert.evidence for alert in bus.customer("c").alerts]
    bus.arrive("c", arrived(complaint(START + 50 * HOUR, 3)), START + 103 * HOUR)
    found = [(said.state, said.alert.key, len(said.evidence)) for _, said in bus.said[2:]]
    assert [("updated", "S1", 2), ("fired", "S2", 2), ("fired", "S3", 2)] == found


def test_a_merged_away_customer_forwards_everything_and_ignores_a_second_merge() -> None:
    bus = Bus()
    bus.arrive("b", arrived(complaint(START)), START)
    bus.arrive("b", Merge("a", 3), START + 1)
    customer = bus.customer("b")
    record = arrived(campaign(START + HOUR))
    assert [Forwarded("a")] == step(customer, record, RULES, bus.memory, START + HOUR)
    assert [Forwarded("a")] == step(customer, Moved("z/1", 1, ()), RULES, bus.memory, START + HOUR)
    assert [] == step(customer, Merge("z", 4), RULES, bus.memory, START + HOUR)
    assert ("a", 3) == (customer.merged_into, customer.version)


def test_nothing_is_judged_while_a_part_of_a_move_is_missing() -> None:
    bus = Bus()
    first, second = arrived(complaint(START)), arrived(campaign(START + HOUR))
    bus.arrive("a", Moved("b/1", 2, (second,)), START + DAY)
    bus.arrive("a", arrived(campaign(START + 2 * HOUR, 101, "S2")), START + DAY)
    assert [] == states(bus)
    bus.arrive("a", Moved("b/1", 2, (first,)), START + DAY)
    assert ["fired", "fired"] == states(bus)


def test_half_a_history_fires_no_false_alert() -> None:
    bus = Bus()
    call = {"callId": "L", "direction": "outbound", "outcome": "no_answer"}
    calls = [arrived(entry(START + hour * HOUR, "sales.call.completed.v1", call, hour)) for hour in (0, 3, 6)]
    reply = arrived(entry(START + 4 * HOUR, "service.conversation.ended.v1", {"channel": "phone"}, 50))
    bus.arrive("a", Moved("b/1", 2, tuple(calls)), START + DAY)
    bus.arrive("a", Moved("b/1", 2, (reply,)), START + DAY)
    assert [] == states(bus)


def test_a_copy_is_ignored_whatever_its_arrival_and_another_content_is_refused() -> None:
    bus, made = Bus(), complaint(START)
    bus.arrive("c", arrived(made))
    assert [Ignored()] == bus.arrive("c", arrived(made))
    other = structs.replace(made, data={"caseId": "K9", "category": "question"})
    (refused,) = bus.arrive("c", Arrived(other, made.at))
    assert isinstance(refused, Refused)
    assert ("id-reused", True) == (refused.reason, "'w'" in refused.message)


def test_instants_are_written_and_read_as_people_do() -> None:
    assert "2026-03-02T00:00:00Z" == rfc3339(START)
    assert START == midnight("2026-03-02") == midnight("2026-03-02T17:00:00+02:00")


def test_parts_of_a_move_that_are_still_to_come_are_waited_for_after_the_next_merge() -> None:
    bus = Bus()
    first, second, third = (arrived(campaign(START + n * HOUR, n, f"S{n}")) for n in (1, 2, 3))
    bus.arrive("a", Moved("b/1", 2, (first,)), START + DAY)
    (shipped,) = bus.arrive("a", Merge("c", 9), START + DAY)
    assert isinstance(shipped, Shipped)
    assert {"b/1": 1} == shipped.arriving
    bus.arrive("c", Moved("a/9", 1, (first,), shipped.alerts, shipped.arriving), START + DAY)
    bus.arrive("c", third, START + DAY)
    assert {"b/1": 1} == bus.customer("c").arriving
    bus.arrive("c", Moved("b/1", 2, (second,)), START + DAY)
    assert {} == bus.customer("c").arriving
    assert ["fired"] == states(bus)


def test_a_moved_copy_with_other_content_is_refused_where_it_arrives() -> None:
    bus = Bus()
    made = complaint(START)
    bus.arrive("a", arrived(made), START)
    other = structs.replace(made, data={"caseId": "K9", "category": "question"})
    customer = bus.customer("a")
    found = step(customer, Moved("b/1", 1, (arrived(made), arrived(other))), RULES, bus.memory, START)
    assert [(Ignored, 0), (Refused, 1)] == [(type(one), getattr(one, "nth", 0)) for one in found[:2]]


def test_a_history_that_is_judged_again_leaves_nothing_of_what_was_settled_long_ago() -> None:
    """However many entries there are: 47 is no round number."""
    bus = Bus()
    for number in range(47):
        at = START + number * DAY
        bus.arrive("c", arrived(complaint(at, number)), at)
        done = entry(at + HOUR, "service.case.resolved.v1", {"caseId": f"K{number}"}, 1_000 + number)
        bus.arrive("c", arrived(done), at + HOUR)
    before = known(bus.customer("c"), "case")
    bus.arrive("c", arrived(campaign(START, 5_000)), START + 47 * DAY)
    assert before == known(bus.customer("c"), "case")
    assert ["K44", "K45", "K46"] == list(before)


def test_a_customer_of_thousands_of_open_matters_keeps_a_small_document_and_is_judged_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "STATE_BYTES", 50_000)
    bus = Bus(kept=True)
    for number in range(2_100):
        bus.arrive("c", arrived(complaint(START + number, number)), START + number)
    assert sum(map(len, bus.documents["c"])) < 20_000
    assert (2_100, 100) == (shown(bus)["openCount"], len(shown(bus)["open"]))
    again = documents.Documents(RULES).decode(bus.documents["c"])
    assert again.derived is None
    assert bus.documents["c"].profile == documents.Documents(RULES).encode(again, "").profile
    for one in (bus.customer("c"), again):
        said = step(one, arrived(campaign(START + HOUR, 9_999)), RULES, bus.memory, START + HOUR)
        assert ["fired"] == [o.state for o in said if isinstance(o, AlertMessage)]
