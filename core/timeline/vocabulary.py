"""What the core must know of an event type. The shell builds these values from the departments' contracts.

``When`` is a condition as data: every named field has one of the given values; an empty one always holds, ``None``
never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..bounds import fits

When = Mapping[str, tuple[str | bool, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRole:
    """What an event does to a matter: ``role`` is ``opens``, ``closes`` or ``changes`` (closing if ``closes_when``)."""

    entity: str
    id_field: str
    role: str
    closes_when: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One event type: its department, whether it is a contact, whether the customer engaged, its matter.

    ``note``: it answers an alert. It is on the timeline, but nothing counts or evaluates it.
    """

    name: str
    department: str
    outbound: When | None = None
    answered: When | None = None
    engaged: When | None = None
    defaults: Mapping[str, str | bool] = field(default_factory=dict)
    entity: EntityRole | None = None
    note: bool = False

    def kept(self, data: Mapping[str, object], name: str) -> object:
        """The field's value, or its default if it is missing; one that is too large to be kept counts as missing."""
        found = data.get(name)
        return found if found is not None and fits(found) else self.defaults.get(name)

    def holds(self, when: When | None, data: Mapping[str, object]) -> bool:
        """Whether ``when`` holds for this event's data."""
        if not when:
            return when is not None
        for name, values in when.items():
            found = data.get(name)
            if (self.defaults.get(name) if found is None else found) not in values:
                return False
        return True


Vocabulary = Mapping[str, EventType]
