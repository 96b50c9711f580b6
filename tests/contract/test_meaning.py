"""What the types mean: contacts, engagement and matters, as ``semantics.md`` 1.5 and the decisions have it."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.timeline import vocabulary
from schemas.department import EntityRole, EventType, When
from schemas.registry import Registry

REGISTRY = Registry.discover()
TYPES = {name: event_type for name, (_, event_type) in REGISTRY.types.items()}


def test_contacts_are_outbound_calls_campaigns_dunning_and_outbound_conversations() -> None:
    expected: dict[str, When] = {
        "sales.call.completed.v1": {"direction": ("outbound",)},
        "marketing.campaign.sent.v1": {"purpose": ("promotion", "survey")},
        "finance.dunning.sent.v1": {},
        "service.conversation.ended.v1": {"direction": ("outbound",)},
    }
    assert expected == {name: described.outbound for name, described in TYPES.items() if described.outbound is not None}


def test_only_a_call_can_be_answered_by_its_own_outcome() -> None:
    expected: dict[str, When] = {"sales.call.completed.v1": {"outcome": ("answered",)}}
    assert expected == {name: described.answered for name, described in TYPES.items() if described.answered is not None}


def test_engaged_is_what_the_customer_did_himself() -> None:
    expected: dict[str, When] = {
        "sales.call.completed.v1": {"direction": ("inbound",)},
        "sales.order.completed.v1": {},
        "service.case.opened.v1": {},
        "service.conversation.ended.v1": {"direction": ("inbound",)},
        "service.feedback.submitted.v1": {},
        "marketing.email.clicked.v1": {"machine": (False,)},
        "web.page.viewed.v1": {},
        "web.search.performed.v1": {},
        "web.content.downloaded.v1": {},
        "web.cart.abandoned.v1": {},
        "social.mention.posted.v1": {},
        "social.review.posted.v1": {},
    }
    assert expected == {name: described.engaged for name, described in TYPES.items() if described.engaged is not None}


def test_a_missing_purpose_is_a_promotion_a_missing_direction_inbound_and_who_clicks_no_machine() -> None:
    expected: dict[str, dict[str, str | bool]] = {
        "marketing.campaign.sent.v1": {"purpose": "promotion"},
        "marketing.email.clicked.v1": {"machine": False},
        "service.conversation.ended.v1": {"direction": "inbound"},
    }
    assert expected == {name: dict(described.defaults) for name, described in TYPES.items() if described.defaults}


def test_what_opens_changes_and_closes() -> None:
    roles = {
        name: (described.entity.entity, described.entity.id_field, described.entity.role, described.entity.closes_when)
        for name, described in TYPES.items()
        if described.entity is not None
    }
    assert {
        "service.case.opened.v1": ("case", "caseId", "opens", None),
        "service.case.escalated.v1": ("case", "caseId", "changes", None),
        "service.case.resolved.v1": ("case", "caseId", "closes", None),
        "sales.opportunity.created.v1": ("opportunity", "opportunityId", "opens", {"stage": ("won", "lost")}),
        "sales.opportunity.stage_changed.v1": (
            "opportunity",
            "opportunityId",
            "changes",
            {"stage": ("won", "lost")},
        ),
        "finance.invoice.issued.v1": ("invoice", "invoiceId", "opens", None),
        "finance.invoice.overdue.v1": ("invoice", "invoiceId", "changes", None),
        "finance.invoice.voided.v1": ("invoice", "invoiceId", "closes", None),
        "finance.invoice.written_off.v1": ("invoice", "invoiceId", "closes", None),
        "finance.payment.received.v1": ("invoice", "invoiceId", "changes", None),
        "finance.payment.disputed.v1": ("invoice", "invoiceId", "changes", None),
        "finance.credit.issued.v1": ("invoice", "invoiceId", "changes", None),
        "sales.meeting.scheduled.v1": ("meeting", "meetingId", "opens", None),
        "sales.meeting.cancelled.v1": ("meeting", "meetingId", "closes", None),
    } == roles


def test_four_departments_reach_out_and_six_sources_have_a_topic() -> None:
    outreach = [department.name for department in REGISTRY.departments if department.outreach]
    assert ["finance", "marketing", "sales", "service"] == outreach
    assert [
        "cx.finance.events.v1",
        "cx.marketing.events.v1",
        "cx.sales.events.v1",
        "cx.service.events.v1",
        "cx.social.events.v1",
        "cx.web.events.v1",
    ] == [department.topic for department in REGISTRY.sources]


def test_the_cores_words_are_the_contracts_words() -> None:
    assert {*_fields(EventType)} - {"data", "example"} == {*_fields(vocabulary.EventType)} - {"department", "note"}
    assert _fields(EntityRole) == _fields(vocabulary.EntityRole)


def _fields(described: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(described)]
