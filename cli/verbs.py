"""The verbs of ``cxbus``: where each is, and what the help says of it. Only the one that is called is imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

RUN, LOOK, PUBLISH, MEND = "Run it", "See what it knows", "Publish", "Look after it"


@dataclass(frozen=True, slots=True)
class Verb:
    """``place`` is ``module:name`` of a function or a ``typer.Typer``; ``about`` the first sentence of its help."""

    name: str
    place: str
    about: str
    panel: str

    def load(self) -> Any:
        """Import it, and make a command of it."""
        module, _, name = self.place.partition(":")
        found = getattr(import_module(module), name)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        if not isinstance(found, typer.Typer):
            alone.command(self.name)(found)
            return get_command(alone)
        alone.add_typer(found, name=self.name)
        group: Any = get_command(alone)
        return group.commands[self.name]


class Lazy(TyperCommand):
    """Stands in the list of commands for one that is imported when it is called."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(name=verb.name, help=verb.about, rich_help_panel=verb.panel)
        self.verb = verb

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """That of the command itself; from then on this one is out of it."""
        return self.verb.load().make_context(*arguments, **more)


VERBS = (
    Verb("demo", "cli.demo.command:demo", "Start the bus, play a business day on it, and show who is told what.", RUN),
    Verb("run", "cli.run:run", "Start the bus on this machine and keep it running until Ctrl-C.", RUN),
    Verb("worker", "cli.worker:worker", "Run one worker: intake, resolver and journey.", RUN),
    Verb(
        "sink",
        "cli.sink:sink",
        "Run one sink: copies timelines, profiles, alerts and identities into the database.",
        RUN,
    ),
    Verb(
        "send",
        "cli.send:send",
        "Publish structured CloudEvents on the topics of their departments, and wait until Kafka has them.",
        PUBLISH,
    ),
    Verb("schemas", "cli.schemas:app", "The contracts: event types and their fields.", PUBLISH),
    Verb("customer", "cli.customer:app", "Customers: who they are, and what happened to them.", LOOK),
    Verb("alerts", "cli.alerts:app", "What the departments were told, and why.", LOOK),
    Verb("tail", "cli.tail:tail", "Show the newest of what is said on the bus, and go on with what comes.", LOOK),
    Verb("rules", "cli.rules:app", "The alert rules.", LOOK),
    Verb(
        "status",
        "cli.status:status",
        "Topics with their records, how far behind the readers are, and how the processes on this machine are.",
        MEND,
    ),
    Verb(
        "doctor",
        "cli.doctor.command:doctor",
        "Check this machine, the brokers, the topics and what happens in them, and say how to mend what is not well.",
        MEND,
    ),
    Verb("topics", "cli.topics:app", "The topics of the bus: list them, create them.", MEND),
    Verb("dead", "cli.dead:app", "Dead letters: what could not be used, and why.", MEND),
)
