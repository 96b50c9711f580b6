"""The step, case by case, as the random worlds of the oracle's tests rarely meet it: alerts, and answers to them."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from core.customer.arrival import Arrived, Ignored, Written
from core.rules.ruleset import RuleSet
from core.timeline.entry import DAY, HOUR, midnight, rfc3339

from .bench import RULES, START, VOCABULARY, Bus, arrived, campaign, complaint, entry, states


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


def test_an_alert_is_forgotten_when_all_that_it_could_silence_is_decided() -> None:
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


def test_what_lies_more_than_400_days_back_is_decided() -> None:
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


def test_instants_are_written_and_read_as_people_do() -> None:
    assert "2026-03-02T00:00:00Z" == rfc3339(START)
    assert START == midnight("2026-03-02") == midnight("2026-03-02T17:00:00+02:00")


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
