"""Holds a sink's database against the topics, row by row and column by column; says where they differ."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from schemas.alerted import ALERTED
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic

from .sink_log import Contents, Place
from .sink_truth import Row, truth

KEYS = {
    "timeline": ("customer_id", "uid"),
    "profiles": ("customer_id",),
    "identities": ("key",),
    "alerts": ("alert_id", "customer_id"),
    "alert_departments": ("alert_id", "customer_id", "department"),
    "forgotten": ("customer_id",),
}
JSON = {"data", "identifiers", "document", "evidence", "customer"}
KINDS = {
    TIMELINE: "timeline",
    PROFILES: "profiles",
    IDENTITIES: "identities",
    **{alerts_topic(department): "alerts" for department in ALERTED},
}


class Copy:
    """A database, looked at from outside without changing it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = 0

    def offsets(self) -> dict[Place, int]:
        """How far it is; empty while there is nothing to look at."""
        try:
            with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
                rows = connection.execute("SELECT topic, partition, next_offset FROM sink_offsets").fetchall()
        except sqlite3.Error:
            return {}
        return {(topic, partition): offset for topic, partition, offset in rows}

    def kept(self, place: Path) -> Copy:
        """What a crash has left, put aside: the file with its log, before anybody mends it. Nobody may write it now."""
        place.mkdir()
        for suffix in ("", "-wal"):
            source = self.path.with_name(self.path.name + suffix)
            if source.exists():
                shutil.copy(source, place / source.name)
        return Copy(place / self.path.name)

    def uncommitted(self) -> int:
        """Pages at the end of the write-ahead log that belong to no committed transaction (SQLite's file format)."""
        wal = self.path.with_name(self.path.name + "-wal")
        content = wal.read_bytes() if wal.exists() else b""
        size, salt = int.from_bytes(content[8:12], "big"), content[16:24]
        open_pages = 0
        for start in range(32, len(content) - 24 - size + 1, 24 + size) if size else ():
            frame = content[start : start + 24]
            if frame[8:16] != salt:
                break
            open_pages = 0 if any(frame[4:8]) else open_pages + 1
        return open_pages

    def half_written(self) -> bool:
        """Whether a transaction has put pages into the log and is not committed; cheap while there are none."""
        wal = self.path.with_name(self.path.name + "-wal")
        changed = wal.stat().st_mtime_ns if wal.exists() else 0
        before, self._changed = self._changed, changed
        return changed != before and self.uncommitted() > 0

    def differences(self, topics: Contents, *, remembers: bool = False) -> list[str]:
        """Everything in which it is not the fold of ``topics``, whose ends its offsets must be.

        ``remembers``: it may know of customers to forget whose tombstones are gone since, and of nobody fewer.
        """
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            damage = connection.execute("PRAGMA integrity_check").fetchone()[0]
            found = [] if damage == "ok" else [f"the file is damaged: {damage}"]
            marks = dict(connection.execute("SELECT customer_id, until FROM forgotten").fetchall())
            for name, expected in truth(topics.records, marks if remembers else {}).items():
                rows = [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
                found += _compared(name, expected, rows)
            offsets = [dict(row) for row in connection.execute("SELECT * FROM sink_offsets")]
        return [*found, *_offsets(offsets, topics)]


def _compared(name: str, expected: Mapping[tuple[object, ...], Row], rows: list[Row]) -> Iterator[str]:
    found = [{column: _value(column, value) for column, value in row.items()} for row in rows]
    keys = Counter(tuple(row[column] for column in KEYS[name]) for row in found)
    yield from (f"{name}: {key} stands there {count} times" for key, count in keys.items() if count > 1)
    yield from (f"{name}: {key} is missing" for key in expected if key not in keys)
    for row in found:
        key = tuple(row[column] for column in KEYS[name])
        if key not in expected:
            yield f"{name}: {key} is not on the topics"
        elif row != expected[key]:
            names = [
                n for n in sorted(row.keys() | expected[key].keys()) if row.get(n, ...) != expected[key].get(n, ...)
            ]
            yield f"{name}: {key} differs in {names}"


def _value(column: str, value: object) -> object:
    return json.loads(value) if column in JSON and isinstance(value, str) else value


def _offsets(rows: list[Row], topics: Contents) -> Iterator[str]:
    """Each partition once, at its end, of this log, and a time up to which all was seen that can be true."""
    places = Counter((row["topic"], row["partition"]) for row in rows)
    if places != Counter(dict.fromkeys(topics.ends, 1)):
        yield f"offsets of {sorted(places.elements())} instead of {sorted(topics.ends)}"
        return
    latest: dict[Place, int] = {}
    for record in topics.records:
        latest[record.topic, record.partition] = record.timestamp
    for row in rows:
        place = (row["topic"], row["partition"])
        if row["next_offset"] != topics.ends[place]:
            yield f"{place}: is at offset {row['next_offset']} instead of {topics.ends[place]}"
        if (row["cluster_id"], row["topic_id"]) != (topics.identity.cluster, topics.identity.topics[place[0]]):
            yield f"{place}: is of another log"
        if row["kind"] != KINDS[place[0]]:
            yield f"{place}: is called {row['kind']}"
        if not latest.get(place, 0) <= row["as_of_ms"] <= time.time() * 1000:
            yield f"{place}: says that it has seen everything before {row['as_of_ms']}"
