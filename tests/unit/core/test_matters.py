"""What closes an invoice and what opens it again, edge by edge (semantics 1.5), and which closings close nothing."""

from __future__ import annotations

from itertools import permutations
from typing import Any, cast

import pytest

from core.alerts.history import CustomerHistory, EmptyHistory, folded_entries
from core.alerts.matching import instants
from core.customer.customer import Customer
from core.customer.step import step
from core.customer.unmatched_closings import Unmatched
from core.timeline.entry import DAY, FOREVER, Entry, midnight
from core.timeline.matters import FIELDS, INVOICE, Matter, Matters, MattersOf

from .bench import CLOCK, RULES, START, VOCABULARY, Bus, arrived, entry

Told = tuple[str, dict[str, Any]]

EUR = {"invoiceId": "I1", "currency": "EUR"}


def issued(total: str = "10.00", **more: Any) -> Told:
    return "finance.invoice.issued.v1", EUR | {"total": total} | more


def overdue(total: str = "10.00", **more: Any) -> Told:
    return "finance.invoice.overdue.v1", EUR | {"total": total} | more


def paid(total: str, payment: str = "P1", **more: Any) -> Told:
    return "finance.payment.received.v1", EUR | {"paymentId": payment, "total": total} | more


def disputed(payment: str = "P1") -> Told:
    return "finance.payment.disputed.v1", EUR | {"paymentId": payment, "total": "10.00"}


def credited(total: str, credit: str = "C1", **more: Any) -> Told:
    return "finance.credit.issued.v1", EUR | {"creditId": credit, "total": total} | more


VOIDED: Told = ("finance.invoice.voided.v1", {"invoiceId": "I1"})
WRITTEN_OFF: Told = ("finance.invoice.written_off.v1", {"invoiceId": "I1"})
REFUNDED: Told = ("finance.refund.issued.v1", EUR | {"refundId": "R1", "paymentId": "P1", "total": "10.00"})


def history(*events: Told | tuple[int, Told]) -> list[Entry]:
    """One after the other, a microsecond apart, unless an instant is given."""
    return sorted(entry(START + at, *told, number) for number, (at, told) in enumerate(_placed(events)))


def _placed(events: tuple[Any, ...]) -> list[tuple[int, Told]]:
    return [told if isinstance(told[0], int) else (at, told) for at, told in enumerate(events)]


def invoice(*events: Any) -> list[Matter]:
    """What became of it, instant by instant."""
    feature = MattersOf(INVOICE, FOREVER, FIELDS[INVOICE])
    entries = [one for one in history(*events) if VOCABULARY[one.type].entity is not None]

    past = CustomerHistory(EmptyHistory(), "c", entries, RULES)
    matters, found = feature.empty(), list[Matter]()
    for together in instants(folded_entries(entries, RULES)):
        matters = feature.take(matters, together, past)
        found += [*matters.open.values(), *matters.closed.values()]
    return found


def known(customer: Customer, kind: str) -> dict[str, Matter]:
    """The matters of a kind that are kept, the open ones first."""
    assert customer.derived is not None
    (place,) = [place for place, feature in RULES.matters if feature.entity == kind]
    matters = cast(Matters, customer.derived.states[place])
    return {**matters.open, **matters.closed}


def since(matter: Matter) -> int:
    """When it was opened or closed, in µs after the start."""
    assert matter.changed is not None
    return matter.changed.at - START


def due(matter: Matter) -> int | None:
    assert matter.bill is not None
    return matter.bill.due


def is_open(*events: Any) -> bool:
    """Whether it is open in the end."""
    return invoice(*events)[-1].open


# --- what closes it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "expected"), [("9.99", True), ("10.00", False), ("10.01", False)])
def test_a_credit_over_the_whole_invoice_closes_it_and_one_over_less_does_not(total: str, expected: bool) -> None:
    assert expected == is_open(issued(), credited(total))


@pytest.mark.parametrize(("total", "expected"), [("3.99", True), ("4.00", False)])
def test_payments_and_credits_close_it_together(total: str, expected: bool) -> None:
    assert expected == is_open(issued(), paid("6.00"), credited(total))


@pytest.mark.parametrize("total", ["NaN", "sNaN", "Infinity", "-Infinity", "ten"])
def test_what_is_no_amount_counts_for_nothing(total: str) -> None:
    assert is_open(issued(), credited(total))
    assert is_open(issued(), paid(total), credited("9.98"))


def test_what_is_in_another_currency_does_not_count() -> None:
    assert is_open(issued(), credited("10.00", currency="USD"))
    assert is_open(issued(), paid("6.00"), credited("4.00", currency="USD"))
    assert not is_open(issued(), paid("6.00"), credited("4.00", currency="USD"), credited("4.00", "C2"))


def test_of_each_payment_and_each_credit_the_latest_counts() -> None:
    assert is_open(issued(), credited("5.00"), credited("5.00"))
    assert not is_open(issued(), credited("5.00"), credited("5.00", "C2"))
    assert is_open(issued(), credited("10.00"), credited("9.00"))
    assert not is_open(issued(), paid("5.00", "X"), credited("5.00", "X"))


def test_a_void_and_a_write_off_close_it_whatever_was_paid_or_is_said_later() -> None:
    for end in (VOIDED, WRITTEN_OFF):
        assert not is_open(issued(), end)
        assert not is_open(issued(), end, paid("6.00"))
        assert not is_open(issued(), paid("10.00"), end, disputed())
        assert not is_open(issued(), end, overdue())


def test_an_invoice_that_is_issued_again_after_a_void_is_open_and_in_the_same_instant_closed() -> None:
    assert is_open(issued(), VOIDED, issued())
    assert not is_open((0, issued()), (1, VOIDED), (1, issued()))


def test_an_invoice_that_nobody_claimed_is_closed_by_a_void_and_not_by_money() -> None:
    assert [(False, False, ())] == [(m.open, m.opened, m.facts) for m in invoice(VOIDED)]
    assert [] == invoice(paid("10.00"), credited("10.00"))


def test_what_counted_at_an_instant_stays_as_it_was_then() -> None:
    bills = [matter.bill for matter in invoice(issued(), paid("4.00"), disputed(), credited("5.00"))]
    assert [{}, {"EUR": 4}, {"EUR": 0}, {"EUR": 5}] == [bill.sums for bill in bills if bill is not None]


# --- what opens it again ----------------------------------------------------------------------------------------------


def test_a_refund_after_the_payment_opens_nothing() -> None:
    assert not is_open(issued(), paid("10.00"), REFUNDED)


def test_a_disputed_payment_no_longer_counts_until_it_is_received_again() -> None:
    assert is_open(issued(), paid("10.00"), disputed())
    assert not is_open(issued(), paid("10.00"), disputed(), paid("10.00"))
    assert not is_open(issued(), paid("10.00"), disputed(), paid("10.00", "P2"))
    assert not is_open(issued(), paid("10.00", "P2"), paid("10.00"), disputed())
    assert not is_open(issued(), paid("10.00"), disputed("P2"))


def test_a_payment_received_and_disputed_in_one_instant_does_not_count() -> None:
    assert is_open((0, issued()), (1, paid("10.00")), (1, disputed()))
    assert is_open((0, issued()), (1, disputed()), (1, paid("10.00")))


def test_an_invoice_that_a_dispute_opens_again_is_open_since_its_claim() -> None:
    events = invoice(issued(), paid("10.00"), disputed())
    assert [(True, 0), (False, 1), (True, 0)] == [(m.open, since(m)) for m in events]


def test_it_is_closed_since_the_instant_from_which_on_it_has_been_closed() -> None:
    events = invoice(issued(), paid("10.00"), paid("1.00", "P2"), VOIDED)
    assert [1, 1, 1] == [since(m) for m in events if not m.open]
    events = invoice(issued(), paid("10.00"), disputed(), paid("10.00"))
    assert [1, 3] == [since(m) for m in events if not m.open]


def test_however_its_events_arrive_what_became_of_it_is_the_same() -> None:
    events = history(issued(), paid("4.00"), credited("5.00"), overdue())
    found = []
    for order in permutations(events):
        bus = Bus()
        for one in order:
            bus.arrive("c", arrived(one))
        found.append(bus.customer("c").derived)
    assert "I1" in known(bus.customer("c"), INVOICE)
    assert [found[0]] * 24 == found


# --- when it is due ---------------------------------------------------------------------------------------------------


def test_an_invoice_without_a_due_date_is_overdue_from_the_day_on_which_that_is_said_first() -> None:
    noon = DAY // 2
    (_, first, second) = invoice(issued(), (noon, overdue()), (noon + 3 * DAY, overdue()))
    assert [START, START] == [due(first), due(second)]


def test_the_latest_due_date_that_was_named_counts() -> None:
    events = invoice(issued(dueDate="2026-03-09"), overdue(), overdue(dueDate="2026-03-05"), issued())
    expected = [midnight(date) for date in ("2026-03-09", "2026-03-09", "2026-03-05", "2026-03-05")]
    assert expected == [due(one) for one in events]


# --- closings that close nothing --------------------------------------------------------------------------------------


OPENED: Told = ("service.case.opened.v1", {"caseId": "K1", "category": "complaint"})
ESCALATED: Told = ("service.case.escalated.v1", {"caseId": "K1"})
RESOLVED: Told = ("service.case.resolved.v1", {"caseId": "K1"})
CREATED: Told = ("sales.opportunity.created.v1", {"opportunityId": "O1", "stage": "won"})
STAGED: Told = ("sales.opportunity.stage_changed.v1", {"opportunityId": "O1", "stage": "offered"})
WON: Told = ("sales.opportunity.stage_changed.v1", {"opportunityId": "O1", "stage": "won"})
CANCELLED: Told = ("sales.meeting.cancelled.v1", {"meetingId": "M1"})


def unmatched(*events: Any) -> list[str]:
    """The types of those that closed nothing, as they arrived."""
    bus = Bus()
    records = [arrived(entry(START + at, *told, number)) for number, (at, told) in enumerate(_placed(events))]
    outputs = [output for record in records for output in bus.arrive("c", record, START + 500 * DAY)]
    return [one.type for one in outputs if isinstance(one, Unmatched)]


@pytest.mark.parametrize("told", [RESOLVED, WON, VOIDED, WRITTEN_OFF, paid("1.00"), credited("1.00")])
def test_a_closing_of_what_this_customer_does_not_have_is_told(told: Told) -> None:
    assert [told[0]] == unmatched(told)


@pytest.mark.parametrize(
    "events",
    [
        (OPENED, RESOLVED, RESOLVED),
        (STAGED, WON),
        (CREATED, WON),
        (CREATED, *[WON] * 40),
        (issued(), paid("10.00"), credited("1.00"), VOIDED, WRITTEN_OFF),
        (overdue(), paid("1.00")),
    ],
)
def test_a_closing_of_what_was_opened_is_not_even_when_it_is_closed(events: tuple[Told, ...]) -> None:
    assert [] == unmatched(*events)


@pytest.mark.parametrize(
    "told",
    [OPENED, ESCALATED, CREATED, STAGED, CANCELLED, issued(), disputed(), REFUNDED, paid("1.00", invoiceId=None)],
)
def test_what_opens_or_does_not_close_and_money_for_no_invoice_is_not_told(told: Told) -> None:
    assert [] == unmatched(told)


def test_an_opening_counts_whenever_it_happened_but_only_once_it_has_come() -> None:
    assert [] == unmatched((5, OPENED), (1, RESOLVED))
    assert [RESOLVED[0]] == unmatched((5, RESOLVED), (1, OPENED), (6, RESOLVED))


def test_an_escalation_opens_nothing() -> None:
    assert [RESOLVED[0]] == unmatched(ESCALATED, RESOLVED)


@pytest.mark.parametrize("events", [(OPENED, RESOLVED), (RESOLVED,)])
def test_of_a_case_that_was_forgotten_the_history_knows_whether_anything_had_opened_it(
    events: tuple[Told, ...],
) -> None:
    bus, later = Bus(), ("service.case.opened.v1", {"caseId": "K2", "category": "question"})
    for number, (at, told) in enumerate(_placed((*events, (200 * DAY, later)))):
        bus.arrive("c", arrived(entry(START + at, *told, number)))
    customer = bus.customer("c")
    assert ["K2"] == list(known(customer, "case"))
    again = arrived(entry(START + 201 * DAY, *RESOLVED, 9))
    expected = [] if OPENED in events else [Unmatched(RESOLVED[0])]
    assert expected == [one for one in step(customer, again, RULES, bus.memory, CLOCK) if isinstance(one, Unmatched)]


@pytest.mark.parametrize("events", [(), (OPENED,)])
def test_of_a_customer_of_whom_nothing_is_derived_the_history_is_asked(events: tuple[Told, ...]) -> None:
    bus = Bus()
    for number, told in enumerate([*events, ESCALATED]):
        bus.arrive("c", arrived(entry(START + number, *told, number)))
    customer = bus.customer("c")
    customer.derived = None
    said = step(customer, arrived(entry(START + DAY, *RESOLVED, 9)), RULES, bus.memory, CLOCK)
    expected = [] if events else [Unmatched(RESOLVED[0])]
    assert expected == [one for one in said if isinstance(one, Unmatched)]


def test_what_a_copy_closes_is_told_once() -> None:
    bus = Bus()
    made = arrived(entry(START, *RESOLVED, 1))
    bus.arrive("c", made)
    customer = bus.customer("c")
    assert [] == [one for one in step(customer, made, RULES, bus.memory, START) if isinstance(one, Unmatched)]
