"""Alert messages as CloudEvents in bytes."""

from __future__ import annotations

import orjson

from core.alerts.message import AlertMessage
from core.timeline.entry import rfc3339
from schemas.outputs import ALERT_TYPES

from .cloud_event import cloud_event

STRUCTURED = (("content-type", b"application/cloudevents+json"),)


def alert(said: AlertMessage, customer: str, brief: bytes, place: str, appended: int) -> bytes:
    """The message about an alert. ``brief``: the customer's name and open matters, as JSON; ``place``: ``<journal
    partition>-<offset>`` of the record that caused it; ``appended``: that record's broker time (µs).
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
        "customer": orjson.Fragment(brief),
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
    about = f"{name}/{customer}/{said.state}/{place}"
    return cloud_event(ALERT_TYPES[said.state], about, appended, orjson.dumps(data))
