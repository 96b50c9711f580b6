"""Opens the sink's database for reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .bus import Bus
from .problem import Code, Problem

if TYPE_CHECKING:
    from sinks.sql.reader import Reader


@contextmanager
def reading(bus: Bus) -> Iterator[Reader]:
    """A reader of the database, which is closed at the end of the block.

    Raises ``Problem`` when there is no database yet, ``SinkRefused`` when it can't be read.
    """
    if not bus.database.exists():
        bus.bootstrap()  # when nothing runs, its error explains more
        raise Problem(
            f"There is no database at {bus.database} yet: the sink has not written it. See `cxbus status`.", Code.AWAY
        )
    from sinks.sql.sqlite_file import open_reader  # imports SQLAlchemy, which the help does not need

    reader = open_reader(bus.database)
    try:
        yield reader
    finally:
        reader.close()
