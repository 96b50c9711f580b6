"""Reading the database that the sink writes."""

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
    """The database, for as long as the block lasts.

    Raises ``Problem`` when there is none yet, ``SinkRefused`` when it can't be read.
    """
    if not bus.database.exists():
        bus.bootstrap()  # when nothing runs, that is what there is to say
        raise Problem(
            f"There is no database at {bus.database} yet: the sink has not written it. See `cxbus status`.", Code.AWAY
        )
    from sinks.sql.sqlite_file import open_reader  # SQLAlchemy, which no help of a verb needs

    reader = open_reader(bus.database)
    try:
        yield reader
    finally:
        reader.close()
