"""What service publishes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from ..department import ALWAYS, Department, EntityRole, EventData, EventType
from ..fields import Count, Id, Instant, Seconds, Text, Word

_SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def _on_its_scale(value: float, info: ValidationInfo) -> float:
    """Refuse a value outside of the metric's scale; a metric that is itself wrong is refused by its own field."""
    metric = info.data.get("metric", "")
    low, high = _SCALES.get(metric, (value, value))
    if low <= value <= high:
        return value
    words = "a number from {low} to {high}, because the metric is {metric}"
    raise PydanticCustomError("expected", words, {"low": low, "high": high, "metric": metric})


def _scale(metric: str) -> dict[str, Any]:
    low, high = _SCALES[metric]
    value = {"minimum": low, "maximum": high}
    return {"if": {"properties": {"metric": {"const": metric}}}, "then": {"properties": {"value": value}}}


class CaseOpened(EventData):
    """The customer has a matter that service is to solve."""

    caseId: Id
    category: Word
    priority: Word | None = None
    summary: Text | None = None
    slaDueTime: Instant | None = None


class CaseEscalated(EventData):
    """A case went up a level, or to somebody else, where there are no levels."""

    caseId: Id
    level: Count | None = None


class CaseResolved(EventData):
    """A case was solved."""

    caseId: Id
    resolution: Text | None = None


class FeedbackSubmitted(EventData):
    """The customer said how satisfied they are: csat from 1 to 5, nps from 0 to 10, ces from 1 to 7."""

    model_config = ConfigDict(json_schema_extra={"allOf": [_scale(metric) for metric in _SCALES]})

    metric: Literal["csat", "nps", "ces"]
    value: Annotated[float, Field(description="a number on the metric's scale"), AfterValidator(_on_its_scale)]
    caseId: Id | None = None
    comment: Text | None = None


class ConversationEnded(EventData):
    """A conversation in any channel ended; without a direction the customer began it."""

    conversationId: Id
    channel: Word
    durationSeconds: Seconds | None = None
    agentId: Id | None = None
    direction: Literal["inbound", "outbound"] | None = None


DEPARTMENT = Department(
    name="service",
    outreach=True,
    types=(
        EventType(
            name="service.case.opened.v1",
            data=CaseOpened,
            engaged=ALWAYS,
            entity=EntityRole(entity="case", id_field="caseId", role="opens"),
            example={
                "caseId": "K-1",
                "category": "complaint",
                "priority": "high",
                "summary": "The parcel arrived broken",
                "slaDueTime": "2026-03-04T09:00:00Z",
            },
        ),
        EventType(
            name="service.case.escalated.v1",
            data=CaseEscalated,
            entity=EntityRole(entity="case", id_field="caseId", role="changes"),
            example={"caseId": "K-1", "level": 2},
        ),
        EventType(
            name="service.case.resolved.v1",
            data=CaseResolved,
            entity=EntityRole(entity="case", id_field="caseId", role="closes"),
            example={"caseId": "K-1", "resolution": "Replaced and delivered"},
        ),
        EventType(
            name="service.feedback.submitted.v1",
            data=FeedbackSubmitted,
            engaged=ALWAYS,
            example={"metric": "csat", "value": 5, "caseId": "K-1", "comment": "Quick and friendly"},
        ),
        EventType(
            name="service.conversation.ended.v1",
            data=ConversationEnded,
            outbound={"direction": ("outbound",)},
            engaged={"direction": ("inbound",)},
            defaults={"direction": "inbound"},
            example={
                "conversationId": "CV-9",
                "channel": "chat",
                "durationSeconds": 312.5,
                "agentId": "agent-4",
                "direction": "inbound",
            },
        ),
    ),
)
