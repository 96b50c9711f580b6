"""The bus's topology: its stages, what each reads, writes and keeps, and under which guarantee.

``agents.app`` wires a worker from it, ``agents.topology_page`` writes it into the documentation. The departments, the
sink and the command line run elsewhere and are listed, too: access rights on Kafka follow from all stages together.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.registry import Registry
from schemas.topics import (
    DEAD,
    IDENTITIES,
    JOURNAL,
    LINKS,
    NOTIFIED,
    PROFILES,
    PROGRESS,
    TIMELINE,
    Topic,
    alerts_topic,
    catalogue,
    events_topic,
)

from .topology import Process, Stage, Topology, Transactions, Write

HOW_FAR = Write(PROGRESS, "the position in its input")


def topology(registry: Registry, app_id: str, partitions: int) -> Topology:
    """The topology with these departments; ``app_id`` is the workers' group, ``partitions`` the number P."""
    return topology_of(registry.publishers, registry.alerted, app_id, partitions)


def topology_of(sources: Sequence[str], alerted: Sequence[str], app_id: str, partitions: int) -> Topology:
    """The topology with the departments that publish (``sources``), and those that get alerts (``alerted``)."""
    topics = catalogue(sources, partitions, 1, alerted)
    events = tuple(map(events_topic, sources))
    alerts = tuple(map(alerts_topic, alerted))
    stages = (
        *(_department(name, sources, alerted) for name in dict.fromkeys((*sources, *alerted))),
        _intake(events, app_id),
        _resolver(app_id, partitions),
        _journey(alerts, app_id),
        _sink(alerts, app_id),
        _command_line(topics, events),
    )
    return Topology(stages, topics)


def _department(name: str, sources: Sequence[str], alerted: Sequence[str]) -> Stage:
    published = Write(events_topic(name), "what happened with a customer")
    return Stage(
        name=f"department {name}",
        does="publishes what happened with its customers, and receives alerts",
        process=Process.DEPARTMENT,
        guarantee="at least once",
        by="source and id of an event: what is published again counts once",
        reads=(alerts_topic(name),) if name in alerted else (),
        writes=(published,) if name in sources else (),
    )


def _intake(events: Sequence[str], app_id: str) -> Stage:
    return Stage(
        name="intake",
        does="finds whose an event is; what can't be used becomes a dead letter that says why",
        process=Process.WORKER,
        guarantee="at least once",
        by="the uid of an event: what a crash sends again, the journey knows",
        reads=tuple(events),
        lookups=(IDENTITIES,),
        writes=(
            Write(JOURNAL, "an event whose identifiers are all one customer's"),
            Write(LINKS, "an event with a new identifier, or a link"),
            Write(DEAD, "what can't be used"),
        ),
        store="directory",
        group=app_id,
    )


def _resolver(app_id: str, partitions: int) -> Stage:
    return Stage(
        name="resolver",
        does="decides which identifiers are one customer's, and merges customers",
        process=Process.WORKER,
        guarantee="exactly once",
        by="a transaction for each unit of work: outputs and progress",
        reads=(LINKS,),
        state=(IDENTITIES,),
        writes=(
            Write(IDENTITIES, "whose an identifier is, and who was merged into whom"),
            Write(JOURNAL, "the event; a merge order for the younger customer"),
            Write(DEAD, "identifiers that name nobody, foreign records"),
            HOW_FAR,
        ),
        store="resolver-<n>",
        group=app_id,
        transactions=Transactions(f"{app_id}-resolver", PROGRESS, first=partitions),  # after the journey's
    )


def _journey(alerts: Sequence[str], app_id: str) -> Stage:
    return Stage(
        name="journey",
        does="keeps one timeline for each customer, evaluates the rules on it, sends alerts",
        process=Process.WORKER,
        guarantee="exactly once",
        by="a transaction for each unit of work: outputs and progress",
        reads=(JOURNAL,),
        state=(TIMELINE, PROFILES, NOTIFIED),
        writes=(
            Write(TIMELINE, "a customer's history: an entry for each event"),
            Write(PROFILES, "what is known of a customer, and which alerts were sent"),
            Write(NOTIFIED, "archived alerts, which only a late event can change"),
            *(Write(topic, "an alert, for each department that is notified") for topic in alerts),
            Write(JOURNAL, "the history of a merged customer, for the surviving one"),
            Write(DEAD, "an id used twice, a failing decision, foreign records"),
            HOW_FAR,
        ),
        store="journey-<n>",
        group=app_id,
        transactions=Transactions(f"{app_id}-journey", PROGRESS, first=0),
    )


def _sink(alerts: Sequence[str], app_id: str) -> Stage:
    return Stage(
        name="sink",
        does="copies timelines, profiles, alerts and identities into a SQL database",
        process=Process.SINK,
        guarantee="exactly once",
        by="the offsets in the database's own transaction; its group only shows them",
        reads=(TIMELINE, PROFILES, IDENTITIES, *alerts),
        store="cxbus.db",
        group=f"{app_id}-sink",
    )


def _command_line(topics: Sequence[Topic], events: Sequence[str]) -> Stage:
    return Stage(
        name="command line",
        does="shows all there is, publishes events and sends dead letters again",
        process=Process.COMMAND_LINE,
        guarantee="at least once",
        by="source and id of an event, as for a department",
        reads=tuple([topic.name for topic in topics]),
        writes=tuple([Write(topic, "what a person sends, and what was dead") for topic in events]),
    )
