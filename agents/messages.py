"""What the bus says of an alert, as a CloudEvent in bytes; and what holds of every record that it writes."""

from __future__ import annotations

from collections.abc import Mapping

from core.event import rfc3339
from core.telling import Said
from schemas.outputs import ALERT_TYPES

from .cloud_event import cloud_event

MOST_BYTES = 1_400_000
"""Of a record's value: below a batch's 1.5 MB, with room for key and headers. What is written is bounded so that it
fits (ADR 23); what would not is a decision that failed.
"""


class OutputTooLarge(Exception):
    """What a record would have written does not fit into one of Kafka's: the decision failed."""

    def __init__(self, size: int, topic: str) -> None:
        super().__init__(f"{size} bytes for {topic}")


STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def alert(said: Said, customer: str, brief: Mapping[str, object], place: str, appended: int) -> bytes:
    """The message about an alert. ``brief``: who the customer is, and what is open; ``place``: ``<journal
    partition>-<offset>`` of the record that led to it, which the journal had at ``appended`` (µs).
    """
    told = said.alert
    name = told.id
    data: dict[str, object] = {
        "alertId": name,
        "rule": told.rule,
        "ruleVersion": told.version,
        "state": said.state,
        "severity": told.severity,
        "customerId": customer,
        "customer": brief,
        "instanceKey": told.key,
        "departments": told.departments,
        "time": rfc3339(told.time),
        "reason": said.reason,
        "action": said.action,
        "evidence": said.evidence,
        "historical": told.historical,
    }
    if told.expires is not None:
        data["expiresAt"] = rfc3339(told.expires)
    if said.state in ("resolved", "expired") and told.end is not None:
        data["endedAt"] = rfc3339(told.end)
    return cloud_event(ALERT_TYPES[said.state], f"{name}/{customer}/{said.state}/{place}", appended, data)
