"""An alert from the database: whether it still stands, and its JSON document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from core.timeline.entry import rfc3339
from sinks.sql.answers import Alert


def standing(alert: Alert) -> bool:
    """Whether the alert stands: not ended and not expired. The message about its expiry may still be missing."""
    now = time.time_ns() // 1000
    return alert.state in ("fired", "updated") and (alert.expires_at is None or now < alert.expires_at)


def plain(alert: Alert) -> Mapping[str, Any]:
    """The alert as a JSON document, with the field names of alert messages."""
    return {
        "alertId": alert.alert_id,
        "rule": alert.rule,
        "ruleVersion": alert.rule_version,
        "state": alert.state,
        "standing": standing(alert),
        "severity": alert.severity,
        "customerId": alert.customer_id,
        "customer": alert.customer,
        "instanceKey": alert.instance_key,
        "departments": list(alert.departments),
        "time": rfc3339(alert.time),
        "expiresAt": None if alert.expires_at is None else rfc3339(alert.expires_at),
        "endedAt": None if alert.ended_at is None else rfc3339(alert.ended_at),
        "reason": alert.reason,
        "action": alert.action,
        "evidence": alert.evidence,
        "historical": alert.historical,
        "muted": alert.muted,
    }
