"""The application: check, route to the customer, keep timelines and profiles in state, and judge."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import orjson
from quixstreams import Application  # type: ignore[import-not-found]  # not in the project's environment
from quixstreams.models import Topic  # type: ignore[import-not-found]
from quixstreams.models.serializers import SerializationContext, Serializer  # type: ignore[import-not-found]

from ..domain import Dead, accept, letter, newcomer, take, uid_of
from ..place import Place, announce

PROFILE = b"profile"
"""The key of a customer's document in state. Entries of the timeline stand beside it, by their uid."""

COMMIT_SECONDS = 1.0
"""Between two transactions: until then nothing goes on to the second hop, and a profile is written once in it."""

LINGER_MS = 50
"""Until a batch is sent; readers wait for the transaction anyway."""

Step = tuple[str | None, bytes]
"""The customer and the event; or no customer, and the dead letter."""


class Text(Serializer):  # type: ignore[misc]  # the library is not in the project's environment
    """Of a step only its text goes to the topic."""

    def __call__(self, value: Step, ctx: SerializationContext) -> bytes:
        return value[1]


def check(value: bytes, _key: Any, _timestamp: int, headers: Any) -> Step:
    """Whose event it is, or why it is none."""
    found = accept(value, headers)
    return (None, letter(value, found)) if isinstance(found, Dead) else found


def journey(value: bytes, key: bytes, _timestamp: int, _headers: Any, state: Any) -> list[bytes]:
    """Puts an event on its customer's timeline once; returns the alerts."""
    event = orjson.loads(value)
    uid = uid_of(event)
    entry = uid.encode()
    if state.get_bytes(entry) is not None:
        return []
    known = state.get_bytes(PROFILE)
    document = newcomer(key.decode()) if known is None else orjson.loads(known)
    result = take(document, event, value, uid)
    state.set_bytes(entry, result.record)
    state.set_bytes(PROFILE, orjson.dumps(document))
    return result.alerts


def build(place: Place) -> Application:
    """The application with its topics and its dataframe; says where the results will be."""
    app = Application(
        broker_address=place.bootstrap,
        consumer_group=place.prefix,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_SECONDS,
        state_dir=place.state,
        producer_extra_config={"linger.ms": LINGER_MS},
        loglevel="WARNING",
    )
    inputs = [app.topic(name, key_deserializer="bytes", value_deserializer="bytes") for name in place.inputs]
    dead = app.topic(place.topic("dead"), key_serializer="bytes", value_serializer=Text())
    alerts = app.topic(place.topic("alerts"), key_serializer="bytes", value_serializer="bytes")
    journal = app.topic(
        place.topic("journal"),
        key_serializer="str",
        key_deserializer="bytes",
        value_serializer=Text(),
        value_deserializer="bytes",
    )

    def destination(step: Step, _key: Any, _timestamp: int, _headers: Any) -> Topic:
        return dead if step[0] is None else journal

    for topic in inputs:
        app.dataframe(topic).apply(check, metadata=True).to_topic(destination, key=itemgetter(0))
    app.dataframe(journal).apply(journey, stateful=True, metadata=True, expand=True).to_topic(alerts)
    changelog = f"changelog__{place.prefix}--{journal.name}--default"  # as the library names it
    announce(
        hop=journal.name,
        timeline=changelog,
        profiles=changelog,
        alerts=alerts.name,
    )
    return app
