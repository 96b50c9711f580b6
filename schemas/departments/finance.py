"""What finance publishes."""

from __future__ import annotations

from typing import Annotated

from ..department import ALWAYS, Department, EntityRole, EventData, EventType
from ..fields import Amount, Count, Currency, Date, Id, Text, without_sign

Claimed = Annotated[Amount, without_sign("what the customer need not pay is a finance.credit.issued.v1")]
Received = Annotated[
    Amount,
    without_sign(
        "money that was given back is a finance.refund.issued.v1, "
        "a payment that the bank took back a finance.payment.disputed.v1"
    ),
]
Disputed = Annotated[
    Amount, without_sign("a dispute that was won is the same payment once more, a finance.payment.received.v1")
]
Credited = Annotated[Amount, without_sign("what the customer owes in addition is a finance.invoice.issued.v1")]
Refunded = Annotated[Amount, without_sign("money that comes in is a finance.payment.received.v1")]


class InvoiceIssued(EventData):
    """The customer owes money; without a due date it is to be paid at once, by card or direct debit."""

    invoiceId: Id
    total: Claimed
    currency: Currency
    dueDate: Date | None = None


class InvoiceOverdue(EventData):
    """An invoice's date has passed without payment; ``total`` is that of the invoice, not what is left of it."""

    invoiceId: Id
    total: Claimed
    currency: Currency
    dueDate: Date | None = None
    daysOverdue: Count | None = None


class InvoiceVoided(EventData):
    """An invoice is void: nobody owes it, and nobody ever did."""

    invoiceId: Id
    reason: Text | None = None


class InvoiceWrittenOff(EventData):
    """What is left of an invoice is given up."""

    invoiceId: Id
    reason: Text | None = None


class PaymentReceived(EventData):
    """Money came in; with an invoice's id it pays (a part of) that invoice."""

    paymentId: Id
    invoiceId: Id | None = None
    total: Received
    currency: Currency


class PaymentDisputed(EventData):
    """The bank took a payment back: a chargeback, or a direct debit that was returned; with an invoice's id that
    payment no longer counts for it.
    """

    paymentId: Id
    invoiceId: Id | None = None
    total: Disputed
    currency: Currency
    reason: Text | None = None


class PaymentDeclined(EventData):
    """The bank or gateway refused a payment."""

    invoiceId: Id | None = None
    reason: Text | None = None


class DunningSent(EventData):
    """The customer was reminded to pay one invoice, or, without an invoice's id, all that they owe."""

    invoiceId: Id | None = None
    level: Count


class CreditIssued(EventData):
    """The customer need not pay something; with an invoice's id it lowers what that invoice asks for."""

    creditId: Id
    total: Credited
    currency: Currency
    invoiceId: Id | None = None
    reason: Text | None = None


class RefundIssued(EventData):
    """The customer gets money back that they had paid; no invoice is opened again by it."""

    refundId: Id
    total: Refunded
    currency: Currency
    paymentId: Id | None = None
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
            name="finance.invoice.voided.v1",
            data=InvoiceVoided,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="closes"),
            example={"invoiceId": "I-77", "reason": "sent twice"},
        ),
        EventType(
            name="finance.invoice.written_off.v1",
            data=InvoiceWrittenOff,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="closes"),
            example={"invoiceId": "I-77", "reason": "moved away"},
        ),
        EventType(
            name="finance.payment.received.v1",
            data=PaymentReceived,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="changes"),
            example={"paymentId": "P-12", "invoiceId": "I-77", "total": "129.90", "currency": "EUR"},
        ),
        EventType(
            name="finance.payment.disputed.v1",
            data=PaymentDisputed,
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="changes"),
            example={
                "paymentId": "P-12",
                "invoiceId": "I-77",
                "total": "129.90",
                "currency": "EUR",
                "reason": "not received",
            },
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
            entity=EntityRole(entity="invoice", id_field="invoiceId", role="changes"),
            example={
                "creditId": "CR-2",
                "total": "20.00",
                "currency": "EUR",
                "invoiceId": "I-77",
                "reason": "goodwill",
            },
        ),
        EventType(
            name="finance.refund.issued.v1",
            data=RefundIssued,
            example={
                "refundId": "RF-3",
                "total": "20.00",
                "currency": "EUR",
                "paymentId": "P-12",
                "invoiceId": "I-77",
                "reason": "goodwill",
            },
        ),
    ),
)
