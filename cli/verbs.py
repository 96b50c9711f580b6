"""The verbs of ``cxbus``: the module and the help text of each. Only the verb that is called is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from .parent_watch import watch_parent

RUN, LOOK, PUBLISH, MEND = "Run the bus", "See what it knows", "Publish", "Operate the bus"
"""Panels of the help."""


@dataclass(frozen=True, slots=True)
class Verb:
    """``place`` is ``module:function``, ``about`` the first paragraph of its help, ``panel`` its panel of the help.

    ``watches_parent``: it may be a child of the supervisor, and then ends with it.
    """

    name: str
    place: str
    about: str
    panel: str | None = None
    watches_parent: bool = False

    def load(self) -> TyperCommand:
        """Import the function, and make a command of it."""
        module, _, name = self.place.partition(":")
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(self.name)(getattr(import_module(module), name))
        command = get_command(alone)
        assert isinstance(command, TyperCommand), "a Typer with one command and no callback is that command"
        return command


@dataclass(frozen=True, slots=True)
class Noun:
    """Verbs about one thing: ``cxbus <noun> <verb>``."""

    name: str
    about: str
    panel: str
    verbs: tuple[Verb, ...]


class Lazy(TyperCommand):
    """A placeholder in the list of commands; the real command is imported when it is called."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(name=verb.name, help=verb.about, rich_help_panel=verb.panel)
        self.verb = verb

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """The context of the real command, which takes over from here."""
        if self.verb.watches_parent:
            watch_parent()  # before the import, which is slow
        return self.verb.load().make_context(*arguments, **more)


def commands_of(words: Iterable[Verb | Noun]) -> dict[str, Any]:
    """Name → command."""
    return {word.name: Lazy(word) if isinstance(word, Verb) else _group(word) for word in words}


def _group(noun: Noun) -> TyperGroup:
    return TyperGroup(
        name=noun.name,
        help=noun.about,
        rich_help_panel=noun.panel,
        rich_markup_mode="rich",
        no_args_is_help=True,
        commands=commands_of(noun.verbs),
    )


VERBS: tuple[Verb | Noun, ...] = (
    Verb(
        "demo",
        "cli.demo.command:demo",
        "Start the bus, play a business day on it, and show which department receives which alert.",
        RUN,
    ),
    Verb("run", "cli.run:run", "Start the bus on this machine and keep it running until Ctrl-C.", RUN),
    Verb("worker", "cli.worker:worker", "Run one worker: intake, resolver and journey.", RUN, watches_parent=True),
    Verb(
        "sink",
        "cli.sink:sink",
        "Run one sink, which copies timelines, profiles, alerts and identities into the database.",
        RUN,
        watches_parent=True,
    ),
    Verb(
        "send",
        "cli.send:send",
        "Publish structured CloudEvents on the topics of their departments, and wait until Kafka acknowledges them.",
        PUBLISH,
    ),
    Noun(
        "schemas",
        "The contracts: event types and their fields.",
        PUBLISH,
        (
            Verb(
                "list", "cli.schemas:list_", "List the event types that departments can publish and that the bus emits."
            ),
            Verb("show", "cli.schemas:show", "Show the fields of one event type, with an example."),
            Verb(
                "export", "cli.schemas:export", "Write every type's JSON Schema (2020-12) into a folder, one file each."
            ),
            Verb(
                "check",
                "cli.schemas:check",
                "Check that the contracts are compatible with the released schemas; exit code 1 if not.",
            ),
        ),
    ),
    Noun(
        "customer",
        "Customers: who they are, and what happened to them.",
        LOOK,
        (
            Verb(
                "show",
                "cli.customer:show",
                "Show one customer: identifiers, open matters, active alerts, and the timeline, newest first.",
            ),
            Verb(
                "search",
                "cli.customer:search",
                "Find customers by a part of their name. `cxbus customer show` finds one by an identifier.",
            ),
        ),
    ),
    Noun(
        "alerts",
        "Alerts that departments received, and why.",
        LOOK,
        (
            Verb(
                "list",
                "cli.alerts.listing:list_",
                "List the alerts in the database with their latest state, newest first.",
            ),
            Verb(
                "tail",
                "cli.alerts.tail:tail",
                "Show the newest alerts, then follow new ones. An alert for several departments is shown once.",
            ),
            Verb(
                "explain",
                "cli.alerts.explanation:explain",
                "Explain an alert: its rule, the events that are its evidence, the recommended action, and its state.",
            ),
        ),
    ),
    Verb("tail", "cli.tail:tail", "Show the newest records of one kind, then follow new ones.", LOOK),
    Noun(
        "rules",
        "The alert rules.",
        LOOK,
        (
            Verb("list", "cli.rules:list_", "List the rules in force."),
            Verb(
                "check",
                "cli.rules:check",
                "Check rules, and run the test cases in their files; exit code 1 if anything is wrong.",
            ),
        ),
    ),
    Verb(
        "status",
        "cli.status:status",
        "Show the topics with their records and consumer lag, and the health of the processes on this machine.",
        MEND,
    ),
    Verb(
        "doctor",
        "cli.doctor.command:doctor",
        "Check this machine, the brokers, the topics and their records, and say how to fix what is wrong.",
        MEND,
    ),
    Noun(
        "topics",
        "The topics of the bus: list them, create them.",
        MEND,
        (
            Verb(
                "list",
                "cli.topics:list_",
                "List the topics; exit code 1 if one is missing or has other settings than the bus needs.",
            ),
            Verb("apply", "cli.topics:apply_", "Create missing topics; `cxbus run` does this, too."),
        ),
    ),
    Noun(
        "dead",
        "Dead letters: records that could not be used, and why.",
        MEND,
        (
            Verb(
                "list",
                "cli.dead.listing:list_",
                "List the newest dead letters. One that was retried and failed again is listed once, as the newer.",
            ),
            Verb(
                "show",
                "cli.dead.listing:show",
                "Show one dead letter with its record and headers. Of a record over 1 MiB it has only the beginning.",
            ),
            Verb(
                "retry",
                "cli.dead.retry:retry",
                "Publish a dead letter again, unchanged: after a rule, a contract or the bus itself was fixed.",
            ),
        ),
    ),
)
