"""The application: intake checks and routes, journey keeps timelines and profiles and judges."""

from __future__ import annotations

from typing import Any

import faust
import orjson

from ..domain import Dead, accept, letter, newcomer, take, uid_of
from ..place import Place, announce


def build(place: Place) -> faust.App:
    """The app with its topics, Tables and agents; says where the results will be."""
    app = faust.App(
        place.prefix,
        broker=f"kafka://{place.bootstrap}",
        datadir=str(place.state),
        topic_partitions=place.partitions,
        store="memory://",
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        cython_optimizations=True,
        producer_linger=0.05,
        producer_max_batch_size=512 * 1024,
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    inputs = app.topic(*place.inputs, **raw)
    journal = app.topic(place.topic("journal"), **raw)
    dead = app.topic(place.topic("dead"), **raw)
    alerts = app.topic(place.topic("alerts"), **raw)
    timeline = app.Table("timeline", partitions=place.partitions, key_type=bytes, value_type=bytes)
    profiles = app.Table("profiles", partitions=place.partitions, key_type=bytes)

    async def intake(stream: Any) -> None:
        """Checks every event and sends it to its customer's partition."""
        async for event in stream.events():
            routed = accept(event.value, event.headers.items())
            if isinstance(routed, Dead):
                await dead.send(key=event.key, value=letter(event.value, routed))
            else:
                await journal.send(key=routed.customer.encode(), value=routed.event)

    async def journey(stream: Any) -> None:
        """Puts every event on its customer's timeline once, and tells what it means."""
        async for event in stream.events():
            text = event.value
            decoded = orjson.loads(text)
            uid = uid_of(decoded)
            place_on_timeline = b"%b/%b" % (event.key, uid.encode())
            if place_on_timeline in timeline:
                continue
            profile = profiles.get(event.key) or newcomer(event.key.decode())
            result = take(profile, decoded, text, uid)
            timeline[place_on_timeline] = result.record
            profiles[event.key] = profile
            for alert in result.alerts:
                await alerts.send(key=event.key, value=alert)

    app.agent(inputs)(intake)
    app.agent(journal)(journey)
    announce(
        hop=journal.get_topic_name(),
        timeline=timeline.changelog_topic.get_topic_name(),
        profiles=profiles.changelog_topic.get_topic_name(),
        alerts=alerts.get_topic_name(),
    )
    return app
