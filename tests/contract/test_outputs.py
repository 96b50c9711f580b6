"""What the bus emits."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.outputs import ALERT_TYPES, OUTPUTS

ALERT: dict[str, Any] = {
    "alertId": "a_0123456789abcdef0123456789",
    "rule": "campaign-during-complaint",
    "ruleVersion": 1,
    "state": "fired",
    "severity": "warning",
    "customerId": "c1",
    "customer": {"name": "Ada Lovelace", "open": []},
    "instanceKey": "S1",
    "departments": ["marketing", "service"],
    "time": "2026-03-02T15:00:00Z",
    "reason": "A promotion was sent while complaint K1 is open.",
    "action": "Hold campaigns.",
    "evidence": [
        {
            "source": "/crm",
            "id": "1",
            "type": "marketing.campaign.sent.v1",
            "time": "2026-03-02T15:00:00Z",
            "values": {"purpose": "promotion"},
        }
    ],
    "historical": False,
}

MINIMAL: dict[str, dict[str, Any]] = {
    "cx.timeline.entry.v1": {
        "customerId": "c1",
        "department": "sales",
        "event": {
            "source": "/crm",
            "id": "1",
            "type": "sales.brief.viewed.v1",
            "time": "2026-03-02T15:00:00Z",
            "data": {},
        },
        "identifiers": [{"type": "email", "value": "ada@example.com"}],
        "at": 1772463600000000,
        "received": 1772463600100000,
        "late": False,
        "moved": False,
    },
    "cx.profile.updated.v1": {"customerId": "c1", "identifiers": [{"type": "email", "value": "a…@example.com"}]},
    "cx.alert.fired.v1": ALERT,
    "cx.alert.updated.v1": {**ALERT, "state": "updated"},
    "cx.alert.resolved.v1": {**ALERT, "state": "expired"},
    "cx.alert.retracted.v1": {**ALERT, "state": "retracted"},
    "cx.identity.linked.v1": {"customerId": "c1", "type": "email", "identifier": "5f0c"},
    "cx.identity.merged.v1": {"customerId": "c2", "mergedInto": "c1", "version": 17},
    "cx.identity.split.v1": {"customerId": "c1", "splitInto": "c3", "version": 18},
}


def test_every_output_has_an_example() -> None:
    assert set(OUTPUTS) == set(MINIMAL)


@pytest.mark.parametrize("name", sorted(MINIMAL))
def test_an_output_takes_its_example_and_fields_to_come(name: str) -> None:
    data = {**MINIMAL[name], "later": 1}
    assert data == OUTPUTS[name].model_validate(data).model_dump(exclude_unset=True)


@pytest.mark.parametrize("name", sorted(MINIMAL))
def test_every_field_of_an_outputs_example_is_required(name: str) -> None:
    for field in MINIMAL[name]:
        with pytest.raises(ValidationError):
            OUTPUTS[name].model_validate({key: value for key, value in MINIMAL[name].items() if key != field})


def test_a_profile_carries_the_buss_own_state_unread() -> None:
    profile = {
        **MINIMAL["cx.profile.updated.v1"],
        "tier": "standard",
        "scores": {"health": {"value": 52.5, "parts": {"service": 2.5}}},
        "open": [{"entity": "case", "id": "K1", "since": "2026-03-02T09:00:00Z", "category": "complaint"}],
        "lastContact": {"sales": "2026-03-02T09:00:00Z"},
        "mergedInto": None,
        "state": {"schema": 1, "anything": [[1]]},
    }
    assert profile == OUTPUTS["cx.profile.updated.v1"].model_validate(profile).model_dump(exclude_unset=True)


def test_an_expired_alert_goes_out_as_resolved() -> None:
    assert {
        "fired": "cx.alert.fired.v1",
        "updated": "cx.alert.updated.v1",
        "resolved": "cx.alert.resolved.v1",
        "expired": "cx.alert.resolved.v1",
        "retracted": "cx.alert.retracted.v1",
    } == dict(ALERT_TYPES)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "closed"),
        ("severity", "bad"),
        ("ruleVersion", "1"),
        ("time", "2026-03-02"),
        ("expiresAt", 5),
        ("muted", 1),
    ],
)
def test_an_alert_with_a_wrong_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        OUTPUTS["cx.alert.fired.v1"].model_validate({**ALERT, field: value})
