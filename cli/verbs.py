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

RUN, LOOK, PUBLISH, MEND = "Run it", "See what it knows", "Publish", "Look after it"
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
    Verb("demo", "cli.demo.command:demo", "Start the bus, play a business day on it, and show who is told what.", RUN),
    Verb("run", "cli.run:run", "Start the bus on this machine and keep it running until Ctrl-C.", RUN),
    Verb("worker", "cli.worker:worker", "Run one worker: intake, resolver and journey.", RUN, watches_parent=True),
    Verb(
        "sink",
        "cli.sink:sink",
        "Run one sink: copies timelines, profiles, alerts and identities into the database.",
        RUN,
        watches_parent=True,
    ),
    Verb(
        "send",
        "cli.send:send",
        "Publish structured CloudEvents on the topics of their departments, and wait until Kafka has them.",
        PUBLISH,
    ),
    Noun(
        "schemas",
        "The contracts: event types and their fields.",
        PUBLISH,
        (
            Verb("list", "cli.schemas:list_", "All event types that departments can publish, and what the bus emits."),
            Verb("show", "cli.schemas:show", "The fields of one event type, with an example."),
            Verb(
                "export", "cli.schemas:export", "Write every type's JSON Schema (2020-12) into a folder, one file each."
            ),
            Verb(
                "check", "cli.schemas:check", "Would the contracts break what was released? Exit code 1 if they would."
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
                "Everything about one customer: who, what is open, which alerts stand, and the timeline, newest first.",
            ),
            Verb(
                "search",
                "cli.customer:search",
                "Find customers by a part of their name. By an identifier: `cxbus customer show`.",
            ),
        ),
    ),
    Noun(
        "alerts",
        "What the departments were told, and why.",
        LOOK,
        (
            Verb(
                "list",
                "cli.alerts.listing:list_",
                "Alerts in their latest state, the latest first, as the database has them.",
            ),
            Verb(
                "tail",
                "cli.alerts.tail:tail",
                "Show the newest alerts, and go on with what comes. "
                "An alert that several departments are told is shown once.",
            ),
            Verb(
                "explain",
                "cli.alerts.explanation:explain",
                "Why there is this alert: the rule, the events on which it rests, what to do, and what became of it.",
            ),
        ),
    ),
    Verb("tail", "cli.tail:tail", "Show the newest of what is said on the bus, and go on with what comes.", LOOK),
    Noun(
        "rules",
        "The alert rules.",
        LOOK,
        (
            Verb("list", "cli.rules:list_", "The rules in force."),
            Verb(
                "check",
                "cli.rules:check",
                "Read rules and run the test cases that stand in them; exit code 1 if anything is wrong.",
            ),
        ),
    ),
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
    Noun(
        "topics",
        "The topics of the bus: list them, create them.",
        MEND,
        (
            Verb(
                "list",
                "cli.topics:list_",
                "How each topic stands; exit code 1 if one is missing or set otherwise than the bus needs.",
            ),
            Verb("apply", "cli.topics:apply_", "Create the topics that are missing; `cxbus run` does it, too."),
        ),
    ),
    Noun(
        "dead",
        "Dead letters: what could not be used, and why.",
        MEND,
        (
            Verb(
                "list",
                "cli.dead.listing:list_",
                "The newest dead letters. One that was retried and failed again shows as the newer letter only.",
            ),
            Verb(
                "show",
                "cli.dead.listing:show",
                "One dead letter with all that came. Of more than 1 MiB it keeps the beginning.",
            ),
            Verb(
                "retry",
                "cli.dead.retry:retry",
                "Publish a letter once more as it came: after a rule, a contract or the bus itself was mended.",
            ),
        ),
    ),
)
