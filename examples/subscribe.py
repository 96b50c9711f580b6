"""A department's app that acts on its alerts; here it prints a line for each.

    python examples/subscribe.py --bootstrap localhost:9092 --department marketing

Needs only kafka-python: copy it. It acts, stores that it did, then commits its offset: it may crash at any moment."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer

OVER = {"resolved": "OVER", "expired": "RUN OUT", "retracted": "TAKEN BACK"}


def take(db: sqlite3.Connection, message: dict[str, Any], alert: dict[str, Any]) -> str | None:
    """The word to print for a message; None for a duplicate, and for the end of an alert that was never shown."""
    if not db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (message["source"], message["id"])).rowcount:
        return None
    pair = alert["alertId"], alert["customerId"]
    if alert["state"] in OVER:
        known = db.execute("DELETE FROM standing WHERE alert = ? AND customer = ?", pair).rowcount
        return OVER[alert["state"]] if known else None
    # An update may be the first message about an alert here: for example, after its customer was merged into another.
    return "NEW" if db.execute("INSERT OR IGNORE INTO standing VALUES (?, ?)", pair).rowcount else "CHANGED"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Show a department's alerts.")
    arguments.add_argument("--bootstrap", default=os.environ.get("CXBUS_BOOTSTRAP", "localhost:9092"))
    arguments.add_argument("--department", default="marketing")
    given = arguments.parse_args()
    topic, options = f"cx.alerts.{given.department}.v1", {"bootstrap_servers": given.bootstrap}
    options |= {"group_id": f"{given.department}-app", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    db = sqlite3.connect(f"alerts-{given.department}.db")
    db.execute("CREATE TABLE IF NOT EXISTS seen (source, id, PRIMARY KEY (source, id))")
    db.execute("CREATE TABLE IF NOT EXISTS standing (alert, customer, PRIMARY KEY (alert, customer))")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM acts like Ctrl-C: leave the group
    with suppress(KeyboardInterrupt), KafkaConsumer(topic, isolation_level="read_committed", **options) as consumer:
        while True:
            for record in (one for some in consumer.poll(timeout_ms=1000).values() for one in some):
                message = json.loads(record.value)
                alert = message["data"]
                if word := take(db, message, alert):
                    who = alert["customer"]["name"] or alert["customerId"]
                    late = " (too late to act)" if alert["historical"] else ""
                    print(f"{word}{late} {who}: {alert['reason']} -> {alert['action']}", flush=True)
            db.commit()  # first store what was done,
            consumer.commit()  # then commit the offsets of these messages


if __name__ == "__main__":
    main()
