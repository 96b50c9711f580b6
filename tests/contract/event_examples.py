"""Every event type of the vocabulary by hand: the least its data may hold besides ``customer``, and all of it."""

from __future__ import annotations

from typing import Any

CUSTOMER: dict[str, Any] = {
    "identifiers": [{"type": "customer_no", "value": "C-1042"}, {"type": "email", "value": "Ada@Example.com"}],
    "name": "Ada Lovelace",
    "account": "A-77",
    "segment": "retail",
    "timezone": "Europe/London",
}

MINIMAL: dict[str, dict[str, Any]] = {
    "sales.opportunity.created.v1": {"opportunityId": "OP1", "stage": "new"},
    "sales.opportunity.stage_changed.v1": {"opportunityId": "OP1", "stage": "lost"},
    "sales.meeting.scheduled.v1": {"meetingId": "M1", "startTime": "2026-03-09T14:00:00Z"},
    "sales.meeting.cancelled.v1": {"meetingId": "M1"},
    "sales.call.completed.v1": {"callId": "T1", "direction": "inbound"},
    "sales.brief.viewed.v1": {"viewerId": "rep-3"},
    "sales.order.completed.v1": {"orderId": "O1", "total": "10", "currency": "GBP"},
    "service.case.opened.v1": {"caseId": "K1", "category": "question"},
    "service.case.escalated.v1": {"caseId": "K1"},
    "service.case.resolved.v1": {"caseId": "K1"},
    "service.feedback.submitted.v1": {"metric": "nps", "value": 0},
    "service.conversation.ended.v1": {"conversationId": "CV1", "channel": "phone"},
    "marketing.campaign.sent.v1": {"campaignId": "S1", "channel": "email"},
    "marketing.email.opened.v1": {},
    "marketing.email.clicked.v1": {"url": "/spring"},
    "marketing.email.unsubscribed.v1": {},
    "marketing.email.marked_as_spam.v1": {},
    "marketing.consent.changed.v1": {"channel": "email", "purpose": "survey", "status": "granted"},
    "finance.invoice.issued.v1": {"invoiceId": "I1", "total": "9.5", "currency": "EUR"},
    "finance.invoice.overdue.v1": {"invoiceId": "I1", "total": "9.5", "currency": "EUR"},
    "finance.invoice.voided.v1": {"invoiceId": "I1"},
    "finance.invoice.written_off.v1": {"invoiceId": "I1"},
    "finance.payment.received.v1": {"paymentId": "P1", "total": "0", "currency": "EUR"},
    "finance.payment.disputed.v1": {"paymentId": "P1", "total": "9.50", "currency": "EUR"},
    "finance.payment.declined.v1": {},
    "finance.dunning.sent.v1": {"level": 3},
    "finance.credit.issued.v1": {"creditId": "CR1", "total": "0.000001", "currency": "JPY"},
    "finance.refund.issued.v1": {"refundId": "RF1", "total": "999999999999999.999999", "currency": "EUR"},
    "web.page.viewed.v1": {"url": "/pricing"},
    "web.search.performed.v1": {"query": ""},
    "web.content.downloaded.v1": {"contentId": "D1"},
    "web.cart.abandoned.v1": {"cartId": "CT1"},
    "social.mention.posted.v1": {"network": "mastodon"},
    "social.review.posted.v1": {"site": "reviews.example", "rating": 1},
    "bus.alert.acknowledged.v1": {"alertId": "a_1", "customerId": "c1", "department": "sales", "by": "rep-3"},
    "bus.alert.actioned.v1": {
        "alertId": "a_1",
        "customerId": "c1",
        "department": "sales",
        "by": "rep-3",
        "outcome": "wrong",
    },
}

# What is added to the minimum when every field of the vocabulary is there.
OPTIONAL: dict[str, dict[str, Any]] = {
    "sales.opportunity.created.v1": {
        "name": "Second site",
        "amount": "12000.00",
        "currency": "EUR",
        "closeDate": "2026-06-30",
        "ownerId": "rep-3",
    },
    "sales.opportunity.stage_changed.v1": {"amount": "11500.00", "currency": "EUR"},
    "sales.meeting.scheduled.v1": {"purpose": "demo", "opportunityId": "OP1", "ownerId": "rep-3"},
    "sales.meeting.cancelled.v1": {},
    "sales.call.completed.v1": {"outcome": "no_answer", "durationSeconds": 0.5, "ownerId": "rep-3"},
    "sales.brief.viewed.v1": {"meetingId": "M1"},
    "sales.order.completed.v1": {"items": [{"sku": "LAMP-2", "quantity": 1}, {}]},
    "service.case.opened.v1": {
        "priority": "low",
        "summary": "Broken 📦",
        "slaDueTime": "2026-03-04T09:00:00.5+05:30",
    },
    "service.case.escalated.v1": {"level": 0},
    "service.case.resolved.v1": {"resolution": "مُستبدَل"},
    "service.feedback.submitted.v1": {"caseId": "K1", "comment": "Never again"},
    "service.conversation.ended.v1": {"durationSeconds": 61, "agentId": "agent-4", "direction": "outbound"},
    "marketing.campaign.sent.v1": {"campaignName": "Spring", "messageId": "MSG1", "purpose": "survey"},
    "marketing.email.opened.v1": {"messageId": "MSG1", "campaignId": "S1", "machine": True},
    "marketing.email.clicked.v1": {"messageId": "MSG1", "campaignId": "S1", "machine": False},
    "marketing.email.unsubscribed.v1": {"campaignId": "S1", "listId": "news"},
    "marketing.email.marked_as_spam.v1": {"campaignId": "S1", "messageId": "MSG1"},
    "marketing.consent.changed.v1": {},
    "finance.invoice.issued.v1": {"dueDate": "2026-02-28"},
    "finance.invoice.overdue.v1": {"dueDate": "2028-02-29", "daysOverdue": 0},
    "finance.invoice.voided.v1": {"reason": "sent twice"},
    "finance.invoice.written_off.v1": {"reason": "moved away"},
    "finance.payment.received.v1": {"invoiceId": "I1"},
    "finance.payment.disputed.v1": {"invoiceId": "I1", "reason": "not received"},
    "finance.payment.declined.v1": {"invoiceId": "I1", "reason": "insufficient funds"},
    "finance.dunning.sent.v1": {"invoiceId": "I1"},
    "finance.credit.issued.v1": {"invoiceId": "I1", "reason": "goodwill"},
    "finance.refund.issued.v1": {"paymentId": "P1", "invoiceId": "I1", "reason": "goodwill"},
    "web.page.viewed.v1": {"pageType": "pricing", "productId": "LAMP-2"},
    "web.search.performed.v1": {"results": 0},
    "web.content.downloaded.v1": {"name": "Choosing a lamp"},
    "web.cart.abandoned.v1": {"total": "59.80", "currency": "EUR"},
    "social.mention.posted.v1": {"url": "https://social.example/1", "sentiment": -1, "text": "Meh.", "reach": 250},
    "social.review.posted.v1": {"url": "https://reviews.example/9", "text": "Meh."},
    "bus.alert.acknowledged.v1": {},
    "bus.alert.actioned.v1": {"note": "He had already bought"},
}


def topic_of(name: str) -> str:
    """The department on whose topic the examples of a type arrive."""
    department = name.partition(".")[0]
    return "sales" if department == "bus" else department


def minimal(name: str) -> dict[str, Any]:
    """The least data of a type."""
    whom = {} if name.startswith("bus.") else {"customer": {"identifiers": CUSTOMER["identifiers"][:1]}}
    return {**whom, **MINIMAL[name]}


def full(name: str) -> dict[str, Any]:
    """Data of a type with every field."""
    whom = {} if name.startswith("bus.") else {"customer": CUSTOMER}
    return {**whom, **MINIMAL[name], **OPTIONAL[name]}
