"""Names of customers for lines that would show an id only: from what was read, else from the database here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .problem import Problem

if TYPE_CHECKING:
    from sinks.sql.reader import Reader

    from .bus import Bus

KNOWN = 10_000
"""Names that are kept."""


class Names:
    """Looks at the database at the first question that needs it; on a machine without one it knows what it was told."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, str] = {}
        self._reader: Reader | None = None
        self._opened = False

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
        if self._reader is not None:
            self._reader.close()

    def _looked_up(self, customer_id: str) -> str | None:
        if not self._opened:
            self._opened = True
            self._reader = self._open()
        if self._reader is None:
            return None
        from sqlalchemy.exc import SQLAlchemyError

        try:
            found = self._reader.customer(customer_id)
        except SQLAlchemyError:  # it is being made anew: a name is not worth an error
            return None
        return None if found is None else found.name

    def _open(self) -> Reader | None:
        from sinks.base import SinkRefused
        from sinks.sql.sqlite_file import open_reader

        from .database import database_path

        try:
            path = database_path(self._bus.settings)
            return open_reader(path) if path.exists() else None
        except (Problem, SinkRefused):
            return None
