"""Names of customers as the database here has them."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from sinks.base import SinkRefused
from sinks.sql.reader import Reader
from sinks.sql.sqlite_file import open_reader

from .bus import Bus
from .problem import Problem


class NamesThere:
    """Where there is no database that can be read, nobody has a name."""

    def __init__(self, bus: Bus) -> None:
        self._reader: Reader | None = None
        try:
            if bus.database.exists():
                self._reader = open_reader(bus.database)
        except (Problem, SinkRefused):
            pass

    def of(self, customer_id: str) -> str | None:
        """The customer's name; None where it is not known."""
        if self._reader is None:
            return None
        try:
            found = self._reader.customer(customer_id)
        except SQLAlchemyError:  # it is being made anew: a name is not worth an error
            return None
        return None if found is None else found.name

    def close(self) -> None:
        """Let go of the database."""
        if self._reader is not None:
            self._reader.close()
