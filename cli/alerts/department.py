"""The option ``--department`` of verbs about alerts."""

from __future__ import annotations

from ..bus import Bus
from ..output import shown
from ..problem import Code, Problem


def check(bus: Bus, name: str | None) -> None:
    """Raises ``Problem`` for a department that receives no alerts."""
    if name is None:
        return
    alerted = bus.registry.alerted
    if name not in alerted:
        raise Problem(
            f"--department {shown(name)}: no such department receives alerts; these do: {', '.join(alerted)}.",
            Code.USAGE,
        )
