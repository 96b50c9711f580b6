"""The departments' contracts, as the values that the core understands."""

from __future__ import annotations

from core.timeline import vocabulary as core
from schemas.department import BusData
from schemas.registry import Registry


def vocabulary(registry: Registry) -> core.Vocabulary:
    """The event types by name."""
    return {
        name: core.EventType(
            name=name,
            department=department.name,
            outbound=kind.outbound,
            answered=kind.answered,
            engaged=kind.engaged,
            defaults=kind.defaults,
            entity=None
            if kind.entity is None
            else core.EntityRole(
                entity=kind.entity.entity,
                id_field=kind.entity.id_field,
                role=kind.entity.role,
                closes_when=kind.entity.closes_when,
            ),
            note=issubclass(kind.data, BusData),
        )
        for name, (department, kind) in registry.types.items()
    }
