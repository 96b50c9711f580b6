"""Runs the worker until SIGTERM; says how long it took from the assignment of its partitions until it had its Tables.

``BENCH_STORE`` is the URL of the store, ``BENCH_INPUT`` the topic of the agent.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import faust

from ..place import Place

TABLES = ("timeline", "profiles")


class Recovery:
    """Times the first recovery of the Tables, and says how long it took and what they hold."""

    def __init__(self) -> None:
        self._began = 0.0
        self._done: list[Any] = []

    def assigned(self) -> None:
        """It begins now."""
        self._began = self._began or time.time()

    def restored(self, table: Any) -> None:
        """One Table is complete; the last one ends it."""
        self._done.append(table)
        if len(self._done) == len(TABLES):
            seconds = time.time() - self._began
            print(json.dumps({"seconds": seconds, "records": sum(map(len, self._done))}), flush=True)


def build(place: Place, store: str) -> faust.App:
    """One agent that keeps a timeline and a profile of each key in Tables, as plain_faust does."""
    app = faust.App(
        place.prefix,
        broker=f"kafka://{place.bootstrap}",
        datadir=str(place.state),
        topic_partitions=place.partitions,
        store=store,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        cython_optimizations=True,
    )
    inputs = app.topic(*place.inputs, key_type=bytes, value_type=bytes, value_serializer="raw")
    timeline = app.Table("timeline", partitions=place.partitions, key_type=bytes, value_type=bytes)
    profiles = app.Table("profiles", partitions=place.partitions, key_type=bytes)
    recovery = Recovery()

    async def journey(stream: Any) -> None:
        """Appends to both."""
        async for event in stream.events():
            timeline[event.key + b"/" + str(event.message.offset).encode()] = event.value
            profiles[event.key] = {"last": event.message.offset}

    app.agent(inputs)(journey)

    @app.on_partitions_assigned.connect()
    async def assigned(*_: Any, **__: Any) -> None:
        recovery.assigned()

    for table in (timeline, profiles):
        table.on_recover(_told(recovery, table))
    changelogs = [table.changelog_topic.get_topic_name() for table in (timeline, profiles)]
    print(json.dumps({"changelogs": changelogs}), flush=True)
    return app


def _told(recovery: Recovery, table: Any) -> Any:
    async def recovered() -> None:
        recovery.restored(table)

    return recovered


def main() -> None:
    """The environment says where."""
    worker = faust.Worker(
        build(Place.of(os.environ), os.environ["BENCH_STORE"]), loglevel="ERROR", redirect_stdouts=False
    )
    worker.spinner = None  # as in plain_faust: its messages cost a part of the time
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
