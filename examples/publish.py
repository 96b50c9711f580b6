"""A program that publishes events: service opens a complaint, then marketing mails the same customer.

    python examples/publish.py --bootstrap localhost:9092

Needs only kafka-python: copy it. Each event has the id and the time that its own system gave it, so publishing it again
is harmless: run this twice for the same --day, and the bus drops the duplicates.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

MARY = {
    "identifiers": [{"type": "customer_no", "value": "C-1042"}, {"type": "email", "value": "mary@example.com"}],
    "name": "Mary Example",
}


def publish(producer: KafkaProducer, kind: str, source: str, event_id: str, time: str, **data: Any) -> None:
    """Publish one CloudEvent to its department's topic. Returns when Kafka acknowledged it, else raises KafkaError."""
    event = {"specversion": "1.0", "type": kind, "source": source, "id": event_id, "time": time}
    value = json.dumps({**event, "data": {"customer": MARY, **data}}).encode()
    topic = f"cx.{kind.split('.')[0]}.events.v1"
    # An unacknowledged event may have arrived all the same. Send it again with the same id: a duplicate does no harm.
    producer.send(topic, value, headers=[("content-type", b"application/cloudevents+json")]).get(timeout=15)
    print(f"published {kind} {event_id}")


def main() -> int:
    arguments = argparse.ArgumentParser(description="Publish a complaint and a campaign for a made-up customer.")
    arguments.add_argument("--bootstrap", default=os.environ.get("CXBUS_BOOTSTRAP", "localhost:9092"))
    arguments.add_argument("--day", default=f"{datetime.now(UTC):%Y-%m-%d}", help="when it happened; default: today")
    given = arguments.parse_args()
    day, case, campaign = given.day, f"K-{given.day}", f"spring-{given.day}"
    try:
        with KafkaProducer(
            bootstrap_servers=given.bootstrap, bootstrap_timeout_ms=5_000, max_block_ms=5_000, acks="all"
        ) as producer:
            opened = {"caseId": case, "category": "complaint", "priority": "high", "summary": "Broken parcel"}
            publish(producer, "service.case.opened.v1", "/service/desk", f"{case}/opened", f"{day}T00:00:00Z", **opened)
            sent = {"campaignId": campaign, "campaignName": "Spring", "channel": "email", "purpose": "promotion"}
            publish(producer, "marketing.campaign.sent.v1", "/marketing/mail", campaign, f"{day}T00:00:01Z", **sent)
    except KafkaError as error:
        print(f"not published, try again: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
