"""A process that writes a database until somebody kills it."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from .backends import BACKENDS
from .messages import START_MS, TOPICS, Logs, alert, entry, profile, redirect, tell

CHUNK = 400


def busy_logs(customers: int = 1500) -> Logs:
    """Some of everything, with tombstones: about seven records a customer."""
    logs = Logs()
    for number in range(customers):
        customer = f"c_{number}"
        for uid in ("u1", "u2"):
            logs.append(TOPICS.timeline, f"{customer}/{uid}", entry(customer, uid, at=number), partition=number % 3)
        logs.append(TOPICS.profiles, customer, profile(customer, f"Name {number}"), partition=number % 3)
        logs.append(TOPICS.identities, f"i/{number}", {"id": customer, "type": "email"})
        tell(logs, alert(customer, f"a_{number}", journal=number))
        if number % 3 == 0:
            logs.append(TOPICS.timeline, f"{customer}/u1", None, partition=number % 3)
        if number % 5 == 0:
            logs.append(TOPICS.profiles, customer, redirect(customer, "c_1"), partition=number % 3)
        if number % 7 == 0:
            tell(logs, alert(customer, f"a_{number}", "resolved", journal=number + 10_000))
    return logs


def write(backend: str, directory: str, told: Connection | None) -> None:
    """Bring the database up to ``busy_logs``, telling before every flush that it begins."""
    logs = busy_logs()
    sink = BACKENDS[backend](Path(directory)).open()
    offsets = sink.attach(logs.logs(), START_MS)
    left = [record for record in logs.records if record.offset >= offsets[record.topic, record.partition]]
    for start in range(0, len(left), CHUNK):
        sink.add(left[start : start + CHUNK])
        if told is not None:
            told.send(start)
        sink.flush()
    sink.close()
