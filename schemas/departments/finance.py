"""What finance publishes."""

from __future__ import annotations

from ..department import ALWAYS, Department, EntityRole, EventData, EventType
from ..fields import Count, Currency, Date, Id, Money, Text


class InvoiceIssued(EventData):
    """The customer owes money."""

    invoiceId: Id
    total: Money
    currency: Currency
    dueDate: Date


class InvoiceOverdue(EventData):
    """An invoice's date has passed without payment."""

    invoiceId: Id
    total: Money
    currency: Currency
    dueDate: Date
    daysOverdue: Count


class PaymentReceived(EventData):
    """Money came in; with an invoice's id it pays (a part of) that invoice."""

    paymentId: Id
    invoiceId: Id | None = None
    total: Money
    currency: Currency


class PaymentDeclined(EventData):
    """The bank or gateway refused a payment."""

    invoiceId: Id
    reason: Text | None = None


class DunningSent(EventData):
    """The customer was reminded to pay."""

    invoiceId: Id
    level: Count


class CreditIssued(EventData):
    """The customer gets money back."""

    creditId: Id
    total: Money
    currency: Currency
    invoiceId: Id | None = None
    reason: Text | None = None


DEPARTMENT = Department(
    name="finance",
    outreach=True,
    types=(
        EventType(
            name="finance.invoice.issued.v1",
            data=InvoiceIssued,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="opens"),
            example={"invoiceId": "I-77", "total": "129.90", "currency": "EUR", "dueDate": "2026-03-31"},
        ),
        EventType(
            name="finance.invoice.overdue.v1",
            data=InvoiceOverdue,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="changes"),
            example={
                "invoiceId": "I-77",
                "total": "129.90",
                "currency": "EUR",
                "dueDate": "2026-03-31",
                "daysOverdue": 3,
            },
        ),
        EventType(
            name="finance.payment.received.v1",
            data=PaymentReceived,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="changes"),
            example={"paymentId": "P-12", "invoiceId": "I-77", "total": "129.90", "currency": "EUR"},
        ),
        EventType(
            name="finance.payment.declined.v1",
            data=PaymentDeclined,
            example={"invoiceId": "I-77", "reason": "insufficient funds"},
        ),
        EventType(
            name="finance.dunning.sent.v1",
            data=DunningSent,
            outbound=ALWAYS,
            example={"invoiceId": "I-77", "level": 1},
        ),
        EventType(
            name="finance.credit.issued.v1",
            data=CreditIssued,
            example={
                "creditId": "CR-2",
                "total": "20.00",
                "currency": "EUR",
                "invoiceId": "I-77",
                "reason": "goodwill",
            },
        ),
    ),
)
