"""Reading the database that the sink writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from sinks.base import SinkRefused
from sinks.sql.reader import Reader
from sinks.sql.sqlite_file import open_reader

from .bus import Bus
from .problem import Code, Problem


@contextmanager
def reading(bus: Bus) -> Iterator[Reader]:
    """The database, for as long as the block lasts.

    Raises ``Problem`` when there is none yet, ``SinkRefused`` when it can't be read.
    """
    if not bus.database.exists():
        bus.bootstrap()  # when nothing runs, that is what there is to say
        raise Problem(
            f"There is no database at {bus.database} yet: the sink has not written it. See `cxbus status`.", Code.AWAY
        )
    reader = open_reader(bus.database)
    try:
        yield reader
    finally:
        reader.close()


class NamesThere:
    """Names of customers as the database has them. Where there is none that can be read, nobody has a name."""

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
