"""``cxbus status``: is everything there, is anybody behind, is anybody ill?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from kafka.admin import KafkaAdminClient

from agents.rule_files import digest
from agents.topic_admin import Standing, list_topics, replication
from schemas import topics

from .blocked import asked, tell
from .bus import Bus, bus_of
from .database import sink_group, sink_topics
from .health import Process, announced, ask, supervised
from .output import document, facts, say, table
from .problem import Code


@dataclass(frozen=True, slots=True)
class Health:
    """How one process is: its own answer, or that it gives none. ``process`` is None while it is being started."""

    name: str
    process: Process | None
    ready: bool
    words: str


def status(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """Topics with their records, how far behind the readers are, and how the processes on this machine are.

    Identifiers that are blocked because too many customers came with them are listed while a worker runs here.
    Exit code 1 if a topic is missing or set wrongly, or a process is not well; being behind is not wrong.

    Example: cxbus status
    """

    bus = bus_of(context)
    settings = bus.settings
    bootstrap = bus.bootstrap()
    standings = list_topics(bootstrap, bus.catalogue(settings.replication or replication(bootstrap)))
    lags = _lags(bootstrap, _readers(bus), standings)
    processes = _processes(settings.data_dir)
    blocked = asked(one.process for one in processes if one.process and one.ready and one.name.startswith("worker-"))
    rules = digest(bus.rules_dir)
    if json:
        document({**_plain(bus, bootstrap, standings, lags, processes, rules), "blockedIdentifiers": blocked})
    else:
        _tell(bus, bootstrap, standings, lags, processes, rules)
        tell(blocked)
    if any(one.differences for one in standings) or not all(one.ready for one in processes):
        raise typer.Exit(Code.WRONG)


def _readers(bus: Bus) -> dict[str, tuple[str, set[str]]]:
    """Who reads: the consumer group, and which topics."""

    departments = {topics.events_topic(department.name) for department in bus.registry.sources}
    return {
        "workers": (bus.settings.app_id, {*departments, topics.LINKS, topics.JOURNAL}),
        "sink": (sink_group(bus.settings), set(sink_topics().kinds())),
    }


def _lags(
    bootstrap: str, readers: Mapping[str, tuple[str, set[str]]], standings: Sequence[Standing]
) -> dict[str, dict[str, int]]:
    """By reader and topic how many offsets are left to read."""

    with KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=10_000) as admin:
        committed: dict[str, dict[Any, Any]] = admin.list_group_offsets([group for group, _ in readers.values()])
    lags: dict[str, dict[str, int]] = {}
    for reader, (group, names) in readers.items():
        reached = {(at.topic, at.partition): known.offset for at, known in committed.get(group, {}).items()}
        lags[reader] = {
            one.topic.name: sum(
                max(0, end - max(begin, reached.get((one.topic.name, number), begin)))
                for number, (begin, end) in enumerate(one.offsets)
            )
            for one in standings
            if one.exists and one.topic.name in names
        }
    return lags


def _processes(data_dir: Path) -> list[Health]:
    """All that announced themselves, and those that a supervisor should have but has not (yet, or just now)."""
    found = [_health(process) for process in announced(data_dir)]
    supervisor = supervised(data_dir)
    missing = set(supervisor.children if supervisor else ()) - {one.name for one in found}
    words = f"is being started, or died; see {data_dir / 'logs'}"
    return sorted(found + [Health(name, None, False, words) for name in missing], key=lambda one: one.name)


def _health(process: Process) -> Health:
    if not process.alive:
        return Health(process.name, process, False, "is gone; it was killed")
    alive, ready = ask(process.url, "/livez"), ask(process.url, "/readyz")
    if alive is None or ready is None:
        return Health(process.name, process, False, "does not answer")
    if not alive.ok:
        return Health(process.name, process, False, f"stands still ({alive.text})")
    return Health(process.name, process, ready.ok, ready.text)


def _tell(
    bus: Bus,
    bootstrap: str,
    standings: Sequence[Standing],
    lags: Mapping[str, Mapping[str, int]],
    processes: Sequence[Health],
    rules: str,
) -> None:
    kind = "embedded" if bus.settings.embedded else "given"
    facts(
        [
            ("Kafka", f"{bootstrap} ({kind})"),
            ("rules", f"digest {rules}, from {bus.rules_dir}"),
            ("data", bus.settings.data_dir.absolute()),
        ]
    )
    say("")
    table(
        ("topic", "records*", "workers behind", "sink behind", ""),
        [
            (
                one.topic.name,
                one.records if one.exists else "-",
                lags["workers"].get(one.topic.name, "-"),
                lags["sink"].get(one.topic.name, "-"),
                "; ".join(one.differences),
            )
            for one in standings
        ],
        right=("records*", "workers behind", "sink behind"),
    )
    say("* at most: the marks of transactions are counted, too", "")
    if not processes:
        say("No process of the bus runs on this machine.")
        return
    table(
        ("process", "pid", "", "", "ops pages"),
        [
            (
                one.name,
                one.process.pid if one.process else "-",
                "✓" if one.ready else "✗",
                one.words,
                one.process.url if one.process else "",
            )
            for one in processes
        ],
        right=("pid",),
    )


def _plain(
    bus: Bus,
    bootstrap: str,
    standings: Sequence[Standing],
    lags: Mapping[str, Mapping[str, int]],
    processes: Sequence[Health],
    rules: str,
) -> Mapping[str, Any]:
    return {
        "bootstrap": bootstrap,
        "embedded": bus.settings.embedded,
        "dataDir": str(bus.settings.data_dir.absolute()),
        "rules": {"digest": rules, "folder": str(bus.rules_dir)},
        "topics": [
            {
                "topic": one.topic.name,
                "exists": one.exists,
                "partitions": one.partitions,
                "records": one.records,
                "differences": list(one.differences),
                "lag": {reader: behind[one.topic.name] for reader, behind in lags.items() if one.topic.name in behind},
            }
            for one in standings
        ],
        "processes": [
            {
                "name": one.name,
                "pid": one.process.pid if one.process else None,
                "url": one.process.url if one.process else None,
                "ready": one.ready,
                "reason": one.words,
            }
            for one in processes
        ],
    }
