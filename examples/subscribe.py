"""A department's app that acts on its alerts; here acting means: a line that a person reads.

    python examples/subscribe.py --bootstrap localhost:9092 --department marketing

Needs only kafka-python: copy it. It acts, remembers that, then commits its offset: killed at any moment, it goes on."""

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
    """What to tell people of a message; None for a copy of an earlier one, and for the end of what they never saw."""
    if not db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (message["source"], message["id"])).rowcount:
        return None
    pair = alert["alertId"], alert["customerId"]
    if alert["state"] in OVER:
        known = db.execute("DELETE FROM standing WHERE alert = ? AND customer = ?", pair).rowcount
        return OVER[alert["state"]] if known else None
    # An update may be the first that we hear of an alert: when its customer turned out to be another one, say.
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be told to stop is like Ctrl-C: leave the group
    with suppress(KeyboardInterrupt), KafkaConsumer(topic, isolation_level="read_committed", **options) as consumer:
        while True:
            for record in (one for some in consumer.poll(timeout_ms=1000).values() for one in some):
                message = json.loads(record.value)
                alert = message["data"]
                if word := take(db, message, alert):
                    who = alert["customer"]["name"] or alert["customerId"]
                    late = " (too late to act)" if alert["historical"] else ""
                    print(f"{word}{late} {who}: {alert['reason']} -> {alert['action']}", flush=True)
            db.commit()  # first remember what was done,
            consumer.commit()  # then say that these messages need not come again


if __name__ == "__main__":
    main()
