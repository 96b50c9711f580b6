"""Where the sink's database is, and reading it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .problem import Code, Problem

if TYPE_CHECKING:
    from runtime.settings import Settings
    from sinks.base import Topics
    from sinks.sql.reader import Reader

    from .bus import Bus


def database_path(settings: Settings) -> Path:
    """The SQLite file that the settings name. Raises ``Problem`` for another kind of database."""
    if settings.database is None:
        return settings.data_dir.absolute() / "cxbus.db"
    kind, separator, path = settings.database.partition(":///")
    if kind.partition("+")[0] != "sqlite" or not separator or not path:
        raise Problem(
            "CXBUS_DATABASE is no SQLite database; write sqlite:///relative/path.db or sqlite:////absolute/path.db "
            "(others are not supported yet).",
            Code.USAGE,
        )
    return Path(path).absolute()


def sink_topics() -> Topics:
    """What the sink copies."""
    from schemas import topics
    from schemas.alerted import ALERTED
    from sinks.base import Topics

    alerts = {department: topics.alerts_topic(department) for department in ALERTED}
    return Topics(topics.TIMELINE, topics.PROFILES, topics.IDENTITIES, alerts)


def sink_group(settings: Settings) -> str:
    """The consumer group that shows how far the sink is."""
    return f"{settings.app_id}-sink"


@contextmanager
def reading(bus: Bus) -> Iterator[Reader]:
    """The database, open for reading; it can be read while nothing runs, too.

    Raises ``Problem`` when there is none yet, ``SinkRefused`` when it can't be read.
    """
    path = database_path(bus.settings)
    if not path.exists():
        bus.bootstrap()  # when nothing runs, that is what there is to say
        raise Problem(
            f"There is no database at {path} yet: the sink has not written it. See `cxbus status`.", Code.AWAY
        )
    from sinks.sql.sqlite_file import open_reader

    reader = open_reader(path)
    try:
        yield reader
    finally:
        reader.close()
