"""Names of customers for lines that would show an id only: from what was read, else from the database here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bus import Bus

if TYPE_CHECKING:
    from .names_there import NamesThere

KNOWN = 10_000
"""Names that are kept."""


class Names:
    """Looks at the database at the first question that needs it; on a machine without one it knows what it was told."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, str] = {}
        self._there: NamesThere | None = None

    def learn(self, customer_id: str, name: str) -> None:
        """Somebody said so."""
        self._known.pop(customer_id, None)
        self._known[customer_id] = name
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def of(self, customer_id: str) -> str | None:
        """The customer's name, or that of who they were merged into; None where nobody knows it."""
        name = self._known.get(customer_id) or self._looked_up(customer_id)
        if name:
            self.learn(customer_id, name)
        return name

    def close(self) -> None:
        """Let go of the database."""
        if self._there is not None:
            self._there.close()

    def _looked_up(self, customer_id: str) -> str | None:
        if self._there is None:
            from .names_there import NamesThere  # SQLAlchemy, which most tails can do without

            self._there = NamesThere(self._bus)
        return self._there.of(customer_id)
