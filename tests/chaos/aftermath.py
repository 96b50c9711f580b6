"""What is published when all is over: what it leads to depends on everything that is known of each customer."""

from __future__ import annotations

import random
from collections.abc import Iterator

import orjson

from core.timeline.entry import DAY
from schemas.topics import events_topic, partition_of

from .business import Sent, cloud_event
from .reference import Reference


def one_more(reference: Reference, partitions: int, chance: random.Random, now: int, each: int = 5) -> list[Sent]:
    """For some customers of every journal partition: one event in order, a late one, a copy and an answer.

    ``now`` in µs.
    """
    found: list[Sent] = []
    living = [name for name, customer in sorted(reference.customers.items()) if customer.merged_into is None]
    for partition in range(partitions):
        here = [name for name in living if partition_of(name, partitions) == partition]
        for name in chance.sample(here, min(each, len(here))):
            found += _more_of(reference, name, chance, now)
    return found


def _more_of(reference: Reference, name: str, chance: random.Random, now: int) -> Iterator[Sent]:
    kept = [one for one in reference.entries[name].values() if "customer" in one.event["data"]]
    some = chance.choice(kept)
    who = {"customer": some.event["data"]["customer"]}
    marketing, sales = events_topic("marketing"), events_topic("sales")
    campaign = {**who, "campaignId": "after", "channel": "email"}
    call = {**who, "callId": name, "direction": "outbound", "outcome": "no_answer"}
    yield Sent(marketing, b"", cloud_event("marketing.campaign.sent.v1", "/after", name, now, campaign))
    yield Sent(sales, b"", cloud_event("sales.call.completed.v1", "/after/late", name, now - 3 * DAY, call))
    yield Sent(events_topic(some.event["type"].split(".")[0]), b"", orjson.dumps(some.event))
    for alert in reference.customers[name].alerts[:1]:
        told = {"alertId": alert.id, "customerId": name, "department": "sales", "by": "rep-3"}
        yield Sent(sales, b"", cloud_event("bus.alert.acknowledged.v1", "/after/seen", name, now, told))
