"""How departments answer the bus. These come on the topic of the department that answers, not on one of their own."""

from __future__ import annotations

from typing import Literal

from ..department import BusData, Department, EventType
from ..fields import Text


class AlertAcknowledged(BusData):
    """Somebody has seen the alert and takes care of it."""


class AlertActioned(BusData):
    """Somebody has acted on the alert, and says what came of it."""

    outcome: Literal["helped", "no_effect", "wrong"]
    note: Text | None = None


_ECHOED = {"alertId": "a_0123456789abcdef0123456789", "customerId": "c_42", "department": "sales", "by": "rep-3"}

DEPARTMENT = Department(
    name="bus",
    types=(
        EventType(name="bus.alert.acknowledged.v1", data=AlertAcknowledged, example=_ECHOED),
        EventType(
            name="bus.alert.actioned.v1",
            data=AlertActioned,
            example={**_ECHOED, "outcome": "helped", "note": "Ordered the larger model"},
        ),
    ),
)
