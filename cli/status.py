"""``cxbus status``: topics, consumer lag, and the health of processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.rule_files import digest
from agents.stages import topology
from agents.topic_admin import TopicStatus, list_topics, replication
from agents.topology import Process

from .admin import admin, reached
from .blocked import asked, tell
from .bus import Bus, bus_of
from .health import AnnouncedProcess, announced, ask, supervised
from .output import document, say
from .problem import Code
from .rules_in_force import rules_dir
from .tables import facts, table


@dataclass(frozen=True, slots=True)
class ProcessHealth:
    """The health of one process: its own answer, or that it gives none. ``process``: None until it is announced."""

    name: str
    process: AnnouncedProcess | None
    ready: bool
    words: str


def status(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """Show the topics with their records and consumer lag, and the health of the processes on this machine.

    Identifiers that are blocked because too many customers used them are listed while a worker runs here.
    Exit code 1 if a topic is missing or has wrong settings, or a process is not healthy; lag is not an error.

    Example: cxbus status
    """

    bus = bus_of(context)
    settings = bus.settings
    bootstrap = bus.bootstrap()
    standings = list_topics(bootstrap, bus.catalogue(settings.replication or replication(bootstrap)))
    lags = _lags(bootstrap, _readers(bus), standings)
    processes = _processes(settings.data_dir)
    blocked = asked(one.process for one in processes if one.process and one.ready and one.name.startswith("worker-"))
    rules = digest(rules_dir(bus))
    if json:
        document({**_plain(bus, bootstrap, standings, lags, processes, rules), "blockedIdentifiers": blocked})
    else:
        _tell(bus, bootstrap, standings, lags, processes, rules)
        tell(blocked)
    if any(one.differences for one in standings) or not all(one.ready for one in processes):
        raise typer.Exit(Code.WRONG)


def _readers(bus: Bus) -> dict[str, tuple[str, set[str]]]:
    """Reader → its consumer group and its topics."""
    settings = bus.settings
    stages = topology(bus.registry, settings.app_id, settings.partition_count())
    workers, (sink,) = stages.of(Process.WORKER), stages.of(Process.SINK)
    assert sink.group is not None, "it shows its position there"
    return {
        "workers": (settings.app_id, {topic for stage in workers for topic in stage.reads}),
        "sink": (sink.group, set(sink.reads)),
    }


def _lags(
    bootstrap: str, readers: Mapping[str, tuple[str, set[str]]], standings: Sequence[TopicStatus]
) -> dict[str, dict[str, int]]:
    """Reader → topic → lag in offsets."""
    with admin(bootstrap) as client:
        committed = {reader: reached(client, group) for reader, (group, _) in readers.items()}
    lags: dict[str, dict[str, int]] = {}
    for reader, (_, names) in readers.items():
        lags[reader] = {
            one.topic.name: sum(
                max(0, end - max(begin, committed[reader].get((one.topic.name, number), begin)))
                for number, (begin, end) in enumerate(one.offsets)
            )
            for one in standings
            if one.exists and one.topic.name in names
        }
    return lags


def _processes(data_dir: Path) -> list[ProcessHealth]:
    """All processes that announced themselves, and children of the supervisor that did not (yet, or are restarting)."""
    found = [_health(process) for process in announced(data_dir)]
    supervisor = supervised(data_dir)
    missing = set(supervisor.children if supervisor else ()) - {one.name for one in found}
    words = f"is starting, or died; see {data_dir / 'logs'}"
    return sorted(found + [ProcessHealth(name, None, False, words) for name in missing], key=lambda one: one.name)


def _health(process: AnnouncedProcess) -> ProcessHealth:
    if not process.alive:
        return ProcessHealth(process.name, process, False, "no longer runs; it was killed")
    alive, ready = ask(process.url, "/livez"), ask(process.url, "/readyz")
    if alive is None or ready is None:
        return ProcessHealth(process.name, process, False, "does not answer")
    if not alive.ok:
        return ProcessHealth(process.name, process, False, f"is stuck ({alive.text})")
    return ProcessHealth(process.name, process, ready.ok, ready.text)


def _tell(
    bus: Bus,
    bootstrap: str,
    standings: Sequence[TopicStatus],
    lags: Mapping[str, Mapping[str, int]],
    processes: Sequence[ProcessHealth],
    rules: str,
) -> None:
    kind = "embedded" if bus.settings.embedded else "given"
    facts(
        [
            ("Kafka", f"{bootstrap} ({kind})"),
            ("rules", f"digest {rules}, from {rules_dir(bus)}"),
            ("data", bus.settings.data_dir.absolute()),
        ]
    )
    say("")
    table(
        ("topic", "records*", "workers lag", "sink lag", ""),
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
        right=("records*", "workers lag", "sink lag"),
    )
    say("* upper limit: offsets of transaction markers are counted, too", "")
    _tell_processes(processes)


def _tell_processes(processes: Sequence[ProcessHealth]) -> None:
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
    standings: Sequence[TopicStatus],
    lags: Mapping[str, Mapping[str, int]],
    processes: Sequence[ProcessHealth],
    rules: str,
) -> Mapping[str, Any]:
    return {
        "bootstrap": bootstrap,
        "embedded": bus.settings.embedded,
        "dataDir": str(bus.settings.data_dir.absolute()),
        "rules": {"digest": rules, "folder": str(rules_dir(bus))},
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
