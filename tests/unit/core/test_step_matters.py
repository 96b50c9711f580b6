"""The step, case by case, as the random worlds of the oracle's tests rarely meet it: matters, of long ago and many."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agents import documents
from core.alerts.message import AlertMessage
from core.customer.arrival import Arrived
from core.customer.step import step
from core.timeline.entry import DAY, HOUR

from .bench import RULES, START, Bus, arrived, campaign, complaint, entry
from .test_matters import known


def shown(bus: Bus) -> Any:
    """The profile."""
    return orjson.loads(bus.documents["c"].profile)["data"]


def test_a_payment_for_an_invoice_closed_long_ago_is_seen_with_its_past() -> None:
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


def test_a_dunning_for_an_invoice_closed_long_ago_is_resolved_as_it_fires() -> None:
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


def test_a_history_that_is_judged_again_leaves_nothing_of_what_was_decided_long_ago() -> None:
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
