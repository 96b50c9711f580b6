"""``cxbus topics``: lists and creates the bus's topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from agents.topic_admin import TopicStatus, apply, list_topics, replication

from .bus import Bus, bus_of
from .output import document, say
from .problem import Code
from .tables import table


def list_(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """List the topics; exit code 1 if one is missing or has other settings than the bus needs.

    Example: cxbus topics list
    """
    bus = bus_of(context)
    bootstrap = bus.bootstrap()
    standings = list_topics(bootstrap, bus.catalogue(_copies(bus, bootstrap, None)))
    if json:
        document(
            [
                {
                    "topic": one.topic.name,
                    "exists": one.exists,
                    "partitions": one.partitions,
                    "records": one.records,
                    "cleanup": one.topic.cleanup,
                    "differences": list(one.differences),
                }
                for one in standings
            ]
        )
    else:
        _tell(standings)
    if any(one.differences for one in standings):
        raise typer.Exit(Code.WRONG)


def _tell(standings: Sequence[TopicStatus]) -> None:
    table(
        ("topic", "partitions", "records*", "kept", ""),
        [
            (
                one.topic.name,
                one.partitions if one.exists else "-",
                one.records if one.exists else "-",
                "21 days" if one.topic.cleanup == "delete" else "the latest of each key",
                "; ".join(one.differences),
            )
            for one in standings
        ],
        right=("partitions", "records*"),
    )
    say("* upper limit: offsets of transaction markers are counted, too")


def apply_(
    context: typer.Context,
    replication: Annotated[
        int | None,
        typer.Option(min=1, max=9, help="Replicas of each topic; default CXBUS_REPLICATION, else min(3, brokers)."),
    ] = None,
) -> None:
    """Create missing topics; `cxbus run` does this, too.

    Topics whose settings differ are reported (exit code 1) and not changed.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_PARTITIONS=12 cxbus topics apply --replication 3
    """
    bus = bus_of(context)
    bootstrap = bus.bootstrap()
    catalogue = bus.catalogue(_copies(bus, bootstrap, replication))
    changes = apply(bootstrap, catalogue)
    say(*(f"{'✓' if change.kind == 'created' else '!'} {change}" for change in changes))
    if not changes:
        say(f"All {len(catalogue)} topics exist with the settings that the bus needs.")
    if any(change.kind == "differs" for change in changes):
        raise typer.Exit(Code.WRONG)


def _copies(bus: Bus, bootstrap: str, given: int | None) -> int:
    return given or bus.settings.replication or replication(bootstrap)
