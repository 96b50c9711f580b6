"""The terms in which a department's file describes what it publishes.

A department is one module with a constant ``DEPARTMENT``, in ``departments/`` or in a distribution that names it as an
entry point (``registry.GROUP``); nothing else needs to change. The meaning of a type (is it a contact, did the customer
engage, which matter is it about) is data beside its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .fields import Id, Word

# A condition as data: every named field has one of the given values; empty means always, ``None`` never.
When = Mapping[str, tuple[str | bool, ...]]
ALWAYS: When = MappingProxyType({})


class Data(BaseModel):
    """The ``data`` of an event: exact types, no conversions; what a department adds is kept."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class Identifier(Data):
    """One way in which a department knows the customer, as sent: normalising it is the identity's business."""

    type: Annotated[str, Field(min_length=1, max_length=64, description="a string of 1 to 64 bytes as JSON")]
    value: Annotated[str, Field(max_length=512, description="a string of at most 512 bytes as JSON")]


class Customer(Data):
    """Whom the event is about."""

    # 100: more than all the values that one customer may have by the default policies.
    identifiers: Annotated[
        list[Identifier],
        Field(
            min_length=1,
            max_length=100,
            fail_fast=True,
            description='an array of 1 to 100 objects with "type" and "value"',
        ),
    ]
    name: Word | None = None
    account: Word | None = None
    segment: Word | None = None
    timezone: Word | None = None


class EventData(Data):
    """Base of everything that happens with a customer."""

    customer: Annotated[Customer, Field(description='an object with an array "identifiers"')]


class BusData(Data):
    """Base of a department's answers to the bus: it comes on the topic of the department that it names."""

    alertId: Id
    customerId: Id
    department: Id
    by: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRole:
    """What an event does to a matter: it opens, closes or changes it (which closes it if ``closes_when`` holds)."""

    entity: str
    id_field: str
    role: Literal["opens", "closes", "changes"]
    closes_when: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One event type: its fields and what it means.

    ``outbound``: it is a contact. ``answered``: the contact's own outcome says so. ``engaged``: the customer did
    something themselves. ``defaults``: what a missing or null field means. ``example``: ``data`` without ``customer``.
    """

    name: str
    data: type[Data]
    outbound: When | None = None
    answered: When | None = None
    engaged: When | None = None
    defaults: Mapping[str, str | bool] = field(default_factory=dict)
    entity: EntityRole | None = None
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department and what it publishes. ``outreach``: it contacts customers, so ``notify: outreach`` includes it."""

    name: str
    types: tuple[EventType, ...]
    outreach: bool = False

    @property
    def topic(self) -> str | None:
        """The topic that it publishes to; none if all its types are answers, which come on the topics of others."""
        answers_only = all(issubclass(event_type.data, BusData) for event_type in self.types)
        return None if answers_only else f"cx.{self.name}.events.v1"
