"""The event types that departments publish, as one table: their fields and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

Check = Callable[[Any], bool]
Fields = tuple[tuple[str, Check], ...]

JSON = dict[str, Any]

HOUR = 3_600_000_000
DAY = 24 * HOUR
KEPT = 7 * DAY
"""What is closed is forgotten after this: the longest window of the rules, and their cooldown."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(text: str) -> int:
    """UTC microseconds of an RFC 3339 instant from 1970 on. Raises TypeError, ValueError."""
    if len(text) < 20 or text[10] not in "Tt" or text[13] != ":" or text[16] != ":" or text[4] != "-" or "," in text:
        raise ValueError("not RFC 3339")
    since = datetime.fromisoformat(text) - _EPOCH
    if since.days < 0:
        raise ValueError("before 1970")
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def text_of(at: int) -> str:
    """The instant in RFC 3339."""
    return (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=None).isoformat() + "Z"


def _word(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= 256


def _url(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= 8192


def _query(value: Any) -> bool:
    return type(value) is str and len(value) <= 8192


_MONEY = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?").fullmatch


def _money(value: Any) -> bool:
    return type(value) is str and _MONEY(value) is not None


def _currency(value: Any) -> bool:
    return type(value) is str and len(value) == 3 and value.isascii() and value.isupper()


def _date(value: Any) -> bool:
    if type(value) is not str or len(value) != 10:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _sentiment(value: Any) -> bool:
    return _number(value) and -1 <= value <= 1


def _rating(value: Any) -> bool:
    return _number(value) and 1 <= value <= 5


def _one_of(*words: str) -> Check:
    known = frozenset(words)
    return lambda value: type(value) is str and value in known


_SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def _on_its_scale(data: Mapping[str, Any]) -> bool:
    low, high = _SCALES[data["metric"]]
    return bool(low <= data["value"] <= high)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type: what it requires, and what it does.

    ``role`` says how it changes its ``entity``; ``rule`` is the rule that it alone triggers.
    """

    department: str
    required: Fields
    optional: Fields = ()
    whole: Callable[[Mapping[str, Any]], bool] | None = None
    entity: str | None = None
    role: str = ""
    contact: Callable[[Mapping[str, Any]], bool] | None = None
    engaged: Callable[[Mapping[str, Any]], bool] | None = None
    rule: str | None = None


def _always(_data: Mapping[str, Any]) -> bool:
    return True


def _outbound(data: Mapping[str, Any]) -> bool:
    return data.get("direction") == "outbound"


def _inbound(data: Mapping[str, Any]) -> bool:
    return data.get("direction") == "inbound"


def _begun_by_customer(data: Mapping[str, Any]) -> bool:
    return data.get("direction") != "outbound"


def _no_service(data: Mapping[str, Any]) -> bool:
    return data.get("purpose") != "service"


_DIRECTION = _one_of("inbound", "outbound")
_OUTCOME = _one_of("answered", "voicemail", "no_answer", "busy", "wrong_number")
_PURPOSE = _one_of("promotion", "survey", "service")
_CASE = ("caseId", _word)
_INVOICE = ("invoiceId", _word)
_PAID = (("total", _money), ("currency", _currency))
_STAGE = (("opportunityId", _word), ("stage", _word))

KINDS: Mapping[str, Kind] = {
    "sales.opportunity.created.v1": Kind("sales", _STAGE, entity="opportunity", role="opens"),
    "sales.opportunity.stage_changed.v1": Kind("sales", _STAGE, entity="opportunity", role="changes"),
    "sales.call.completed.v1": Kind(
        "sales",
        (("callId", _word), ("direction", _DIRECTION)),
        (("outcome", _OUTCOME),),
        contact=_outbound,
        engaged=_inbound,
    ),
    "sales.order.completed.v1": Kind("sales", (("orderId", _word), *_PAID), engaged=_always),
    "service.case.opened.v1": Kind(
        "service",
        (_CASE, ("category", _word), ("priority", _word)),
        entity="case",
        role="opens",
        engaged=_always,
    ),
    "service.case.escalated.v1": Kind("service", (_CASE, ("level", _count)), entity="case", role="changes"),
    "service.case.resolved.v1": Kind("service", (_CASE,), entity="case", role="closes"),
    "service.feedback.submitted.v1": Kind(
        "service",
        (("metric", _one_of(*_SCALES)), ("value", _number)),
        (_CASE,),
        whole=_on_its_scale,
        engaged=_always,
        rule="upsell-moment",
    ),
    "service.conversation.ended.v1": Kind(
        "service",
        (("conversationId", _word), ("channel", _word)),
        (("direction", _DIRECTION),),
        contact=_outbound,
        engaged=_begun_by_customer,
    ),
    "marketing.campaign.sent.v1": Kind(
        "marketing",
        (("campaignId", _word), ("channel", _word)),
        (("purpose", _PURPOSE), ("messageId", _word)),
        contact=_no_service,
        rule="campaign-during-complaint",
    ),
    "marketing.email.opened.v1": Kind("marketing", (("messageId", _word),)),
    "marketing.email.clicked.v1": Kind("marketing", (("messageId", _word), ("url", _url)), engaged=_always),
    "marketing.email.unsubscribed.v1": Kind("marketing", (), (("listId", _word),)),
    "marketing.consent.changed.v1": Kind(
        "marketing", (("channel", _word), ("purpose", _word), ("status", _one_of("granted", "revoked")))
    ),
    "finance.invoice.issued.v1": Kind(
        "finance", (_INVOICE, *_PAID, ("dueDate", _date)), entity="invoice", role="opens"
    ),
    "finance.invoice.overdue.v1": Kind(
        "finance",
        (_INVOICE, *_PAID, ("dueDate", _date), ("daysOverdue", _count)),
        entity="invoice",
        role="warns",
    ),
    "finance.payment.received.v1": Kind(
        "finance", (("paymentId", _word), *_PAID), (_INVOICE,), entity="invoice", role="pays"
    ),
    "finance.payment.declined.v1": Kind("finance", (_INVOICE,)),
    "finance.dunning.sent.v1": Kind(
        "finance", (_INVOICE, ("level", _count)), contact=_always, rule="dunning-during-dispute"
    ),
    "web.page.viewed.v1": Kind("web", (("url", _url),), (("pageType", _word),), engaged=_always),
    "web.search.performed.v1": Kind("web", (("query", _query),), (("results", _count),), engaged=_always),
    "web.content.downloaded.v1": Kind("web", (("contentId", _word),), engaged=_always),
    "web.cart.abandoned.v1": Kind(
        "web", (("cartId", _word),), (("total", _money), ("currency", _currency)), engaged=_always
    ),
    "social.mention.posted.v1": Kind("social", (("network", _word), ("sentiment", _sentiment)), engaged=_always),
    "social.review.posted.v1": Kind("social", (("site", _word), ("rating", _rating)), engaged=_always),
}
