"""The sink's topics and consumer group."""

from __future__ import annotations

from schemas import topics
from sinks.base import Topics

from .bus import Bus


def sink_topics(bus: Bus) -> Topics:
    """The topics that the sink copies."""
    alerts = {department: topics.alerts_topic(department) for department in bus.registry.alerted}
    return Topics(topics.TIMELINE, topics.PROFILES, topics.IDENTITIES, alerts)


def sink_group(bus: Bus) -> str:
    """The consumer group that shows the sink's lag."""
    return f"{bus.settings.app_id}-sink"
