"""Which event types there are: those of every department's file."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType

from . import departments as built_in
from .department import BusData, Department, EventData, EventType, When
from .topics import Topic, catalogue

_DEPARTMENT = re.compile(r"[a-z][a-z0-9_-]{0,31}").fullmatch
_TYPE = re.compile(r"[a-z][a-z0-9_-]*\.[a-z0-9_]+\.[a-z0-9_]+\.v[1-9][0-9]*").fullmatch


class Registry:
    """All departments and, by name, all event types. Raises ValueError for a department's file that can't be right."""

    def __init__(self, departments: Iterable[Department]) -> None:
        self.departments = tuple(departments)
        types: dict[str, tuple[Department, EventType]] = {}
        names: set[str] = set()
        for department in self.departments:
            if _DEPARTMENT(department.name) is None or department.name in names:
                raise ValueError(f"department {department.name!r}: not a name for a topic, or given twice")
            names.add(department.name)
            for event_type in department.types:
                _check(department, event_type)
                if event_type.name in types:
                    raise ValueError(f"{event_type.name}: described twice")
                types[event_type.name] = (department, event_type)
        self.types: Mapping[str, tuple[Department, EventType]] = MappingProxyType(types)

    @classmethod
    def discover(cls, package: ModuleType = built_in) -> Registry:
        """Import every module of ``package`` and take its ``DEPARTMENT``."""
        found = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        return cls([importlib.import_module(f"{package.__name__}.{name}").DEPARTMENT for name in found])

    @property
    def sources(self) -> tuple[Department, ...]:
        """The departments that have a topic of their own."""
        return tuple(department for department in self.departments if department.topic is not None)

    @property
    def outreach(self) -> tuple[str, ...]:
        """The departments that contact customers: whom ``notify: outreach`` means."""
        return tuple(sorted(department.name for department in self.departments if department.outreach))

    @property
    def alerted(self) -> tuple[str, ...]:
        """Who is told of alerts: the departments that contact customers, and ops. Others are sources without people."""
        return (*self.outreach, "ops")

    def topics(self, partitions: int, replication: int) -> tuple[Topic, ...]:
        """All topics of a bus for these departments. See ``topics.catalogue``."""
        return catalogue([department.name for department in self.sources], partitions, replication, self.alerted)


def _check(department: Department, event_type: EventType) -> None:
    """Find at the start what would otherwise silently never match."""
    name = event_type.name
    if _TYPE(name) is None or not name.startswith(f"{department.name}."):
        raise ValueError(f"{name}: expected {department.name}.<entity>.<verb>.v<major>")
    if not issubclass(event_type.data, EventData | BusData):
        wish = "EventData, or from BusData for an answer to the bus"
        raise ValueError(f"{name}: data must derive from {wish}")  # noqa: TRY004 - all that is wrong in a file is one error
    roles = event_type.entity
    conditions: list[When | None] = [event_type.outbound, event_type.answered, event_type.engaged]
    fields = set(event_type.defaults)
    if roles is not None:
        fields.add(roles.id_field)
        conditions.append(roles.closes_when)
    fields.update(field for condition in conditions for field in condition or ())
    unknown = sorted(fields - set(event_type.data.model_fields))
    if unknown:
        raise ValueError(f"{name}: its meaning rests on fields that its data does not have: {', '.join(unknown)}")
