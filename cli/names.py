"""Names of customers for lines that have only an id: from records that were read, else from the local database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bus import Bus

if TYPE_CHECKING:
    from .names_there import NamesThere

KNOWN = 10_000
"""How many names are kept."""


class Names:
    """Opens the database when a name is first missing. On a machine without one it has only the learned names."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, str] = {}
        self._there: NamesThere | None = None

    def learn(self, customer_id: str, name: str) -> None:
        """Remember the name of a customer."""
        self._known.pop(customer_id, None)
        self._known[customer_id] = name
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def of(self, customer_id: str) -> str | None:
        """The name of the customer, or of the one they were merged into; None if it is not known."""
        name = self._known.get(customer_id) or self._looked_up(customer_id)
        if name:
            self.learn(customer_id, name)
        return name

    def close(self) -> None:
        """Close the database."""
        if self._there is not None:
            self._there.close()

    def _looked_up(self, customer_id: str) -> str | None:
        if self._there is None:
            from .names_there import NamesThere  # imports SQLAlchemy, which most tails do not need

            self._there = NamesThere(self._bus)
        return self._there.of(customer_id)
