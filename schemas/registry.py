"""All event types: those of every department, from the bus's own files and from installed distributions."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from . import departments as built_in
from .department import BusData, Department, EventData, EventType, When
from .topics import Topic, catalogue

GROUP = "cxbus.departments"
"""Entry points of this group name modules with a constant ``DEPARTMENT``, as each file in ``departments/`` has one."""
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_-]{0,31}").fullmatch
_TYPE = re.compile(r"[a-z][a-z0-9_-]*\.[a-z0-9_]+\.[a-z0-9_]+\.v[1-9][0-9]*").fullmatch


class DepartmentError(ValueError):
    """A department that is described wrongly. The message says which, where it is described, and what to do."""

    exit_code = 2  # of a command: a person must change something


class Registry:
    """All departments and, by name, all event types. Raises ``DepartmentError`` for one that is described wrongly."""

    def __init__(self, departments: Iterable[Department]) -> None:
        self.departments = tuple(departments)
        types: dict[str, tuple[Department, EventType]] = {}
        names: set[str] = set()
        for department in self.departments:
            if _DEPARTMENT(department.name) is None or department.name in names:
                raise DepartmentError(f"department {department.name!r}: not a name for a topic, or given twice")
            names.add(department.name)
            for event_type in department.types:
                _check(department, event_type)
                if event_type.name in types:
                    raise DepartmentError(f"{event_type.name}: described twice")
                types[event_type.name] = (department, event_type)
        self.types: Mapping[str, tuple[Department, EventType]] = MappingProxyType(types)

    @classmethod
    def discover(cls) -> Registry:
        """The departments of the bus's own files, then those that installed distributions bring as entry points.

        Raises ``DepartmentError`` if one can't be loaded or is described wrongly, or two have the same name. None is
        left out, because its events would then be of an unknown type.
        """
        found: dict[str, tuple[str, Department]] = {}
        for origin, load in _described():
            department = _loaded(origin, load)
            other, _ = found.setdefault(department.name, (origin, department))
            if other != origin:
                raise DepartmentError(
                    f"Two departments are called {department.name}: that of {other}, and that of {origin}. Rename the "
                    "one that is not in use yet, or uninstall its distribution: topics are named after departments."
                )
        return cls(department for _, department in found.values())

    @property
    def sources(self) -> tuple[Department, ...]:
        """The departments that have a topic of their own."""
        return tuple(department for department in self.departments if department.topic is not None)

    @property
    def publishers(self) -> tuple[str, ...]:
        """The names of the ``sources``."""
        return tuple(department.name for department in self.sources)

    @property
    def outreach(self) -> tuple[str, ...]:
        """The departments that contact customers: those that ``notify: outreach`` means."""
        return tuple(sorted(department.name for department in self.departments if department.outreach))

    @property
    def alerted(self) -> tuple[str, ...]:
        """The departments that receive alerts: those that contact customers, and ops. The others only publish."""
        return tuple(dict.fromkeys((*self.outreach, "ops")))

    def topics(self, partitions: int, replication: int) -> tuple[Topic, ...]:
        """All topics of a bus for these departments. See ``topics.catalogue``."""
        return catalogue(self.publishers, partitions, replication, self.alerted)


def _described() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Where each department is described, in words, and a function that loads its module."""
    for name in sorted(module.name for module in pkgutil.iter_modules(built_in.__path__)):
        path = f"{built_in.__name__}.{name}"
        yield path, partial(importlib.import_module, path)
    try:
        points = entry_points(group=GROUP)
    except Exception as error:  # of a distribution whose list of entry points can't be parsed
        raise DepartmentError(
            f"The entry points {GROUP} of the installed distributions can't be read: {type(error).__name__}: {error}. "
            "A line of entry_points.txt is written name = module."
        ) from error
    for point in sorted(points, key=lambda point: (point.value, _whose(point))):
        yield f"{point.value} (installed with {_whose(point)})", point.load


def _whose(point: EntryPoint) -> str:
    """The distribution that has this entry point, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"


def _loaded(origin: str, load: Callable[[], Any]) -> Department:
    """The department of a module. Raises ``DepartmentError``, whatever is wrong with it."""
    try:
        department = getattr(load(), "DEPARTMENT", None)
        if not isinstance(department, Department):
            wish = "a module with a constant DEPARTMENT, a schemas.department.Department"
            raise DepartmentError(f"{wish}, was expected")
        Registry([department])
    except (Exception, SystemExit) as error:  # the code of others, which may raise anything, and end the process
        what = str(error) if isinstance(error, DepartmentError) else f"{type(error).__name__}: {error}"
        raise DepartmentError(
            f"The department of {origin} can't be used: {what.rstrip('.')}. Fix it, or uninstall its distribution."
        ) from error
    return department


def _check(department: Department, event_type: EventType) -> None:
    """Find at startup what would otherwise never match, without any message."""
    name = event_type.name
    if _TYPE(name) is None or not name.startswith(f"{department.name}."):
        raise DepartmentError(f"{name}: expected {department.name}.<entity>.<verb>.v<major>")
    if not issubclass(event_type.data, EventData | BusData):
        wish = "EventData, or from BusData for an answer to the bus"
        raise DepartmentError(f"{name}: data must derive from {wish}")
    roles = event_type.entity
    conditions: list[When | None] = [event_type.outbound, event_type.answered, event_type.engaged]
    fields = set(event_type.defaults)
    if roles is not None:
        fields.add(roles.id_field)
        conditions.append(roles.closes_when)
    fields.update(field for condition in conditions for field in condition or ())
    unknown = sorted(fields - set(event_type.data.model_fields))
    if unknown:
        raise DepartmentError(f"{name}: its meaning rests on fields that its data does not have: {', '.join(unknown)}")
