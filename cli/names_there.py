"""Names of customers from the local database."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from sinks.base import SinkRefused
from sinks.sql.reader import Reader
from sinks.sql.sqlite_file import open_reader

from .bus import Bus
from .problem import Problem


class NamesThere:
    """Looks names up; without a readable database it knows none."""

    def __init__(self, bus: Bus) -> None:
        self._reader: Reader | None = None
        try:
            if bus.database.exists():
                self._reader = open_reader(bus.database)
        except (Problem, SinkRefused):
            pass

    def of(self, customer_id: str) -> str | None:
        """The customer's name; None if it is not known."""
        if self._reader is None:
            return None
        try:
            found = self._reader.customer(customer_id)
        except SQLAlchemyError:  # the database is being rebuilt: a missing name is no error
            return None
        return None if found is None else found.name

    def close(self) -> None:
        """Close the database."""
        if self._reader is not None:
            self._reader.close()
