"""Sinks on the bench: the instant at which they are attached, something of every kind, and what copies it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.kafka.record import Record
from sinks.base import Sink
from tests.unit.sinks.messages import START_MS, TOPICS, Logs, alert, entry, profile, redirect, tell

NOW_MS = START_MS + 3_600_000


def some_of_everything(logs: Logs) -> None:
    logs.append(TOPICS.timeline, "c_1/u1", entry("c_1", "u1"))
    logs.append(TOPICS.timeline, "c_1/u2", entry("c_1", "u2", late=True))
    logs.append(TOPICS.profiles, "c_1", profile("c_1"))
    logs.append(TOPICS.profiles, "c_2", redirect("c_2", "c_1"))
    logs.append(TOPICS.identities, "#key", {"fingerprint": "abc"})
    logs.append(TOPICS.identities, "i/1f", {"id": "c_1", "type": "email"})
    logs.append(TOPICS.identities, "c/c_2", {"born": 3, "mergedInto": "c_1", "version": 9})
    tell(logs, alert("c_1"))


def copied(sink: Sink, records: Sequence[Record]) -> None:
    sink.add(records)
    sink.flush()
