"""Prints the story for a person at a terminal: short lines, which department receives which alert, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from cli.steps import Steps
from cli.words import activation

from .observed import Alerted, CustomersMerged, Died, News
from .story import Story, StoryEvent
from .summary import Summary

NARROWEST, WIDEST = 50, 100
"""Columns of a line."""
INDENT = 9
"""Columns before the sign of an event's result: the width of a time of day."""
_OVER = {
    "resolved": "Resolved: its cause is over.",
    "expired": "Expired: its period is over.",
    "retracted": "Retracted: a later event shows that it was wrong.",
}


class Narrator:
    """Writes to ``stream``; colours and the progress bar only if it is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=False)
        self._console.width = max(NARROWEST, min(self._console.width, WIDEST))
        self._steps = Steps(stream)
        self._names: Mapping[str, str] = {}
        self._alert_id = ""
        self._beneath = False

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar during the block; call what it yields with the number of ``total`` that are done."""
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        ) as progress:
            task = progress.add_task("the last weeks", total=total)
            yield lambda done: progress.update(task, completed=done)

    def prologue(self, events: Sequence[StoryEvent], seconds: float) -> None:
        """Print that the prologue is on the timelines."""
        customers = len({event.who for event in events})
        self._steps.done("prologue", f"{len(events)} events of the last weeks, {customers} customers", seconds)

    def day(self, story: Story, *, again: bool = False) -> None:
        """Print the heading of the day; with ``again`` say that it was played before."""
        self._names = story.names
        begins = _clock(min(event.at for event in story.day))
        self._say()
        self._say(Text(f"A day of a lamp shop, from {begins:%A} {begins:%H:%M} UTC", "bold"))
        if again:
            self._say(Text("Played before; shown again from the topics, which keep alerts for 21 days.", "dim"))
        self._say()

    def tell(self, news: News) -> None:
        """Print one piece of news. The prologue's events have no text and print nothing."""
        if isinstance(news, Alerted):
            self._alert(news.data)
        elif isinstance(news, CustomersMerged):
            who = self._names.get(news.who, news.who)
            self._sentence("=", "cyan", ("Two customers turn out to be one, ", ""), (who, "bold"), (":", ""))
            self._sentence(" ", "", (" · ".join(news.known), ""))
        else:
            if news.event.says:
                self._happened(news.event)
            if isinstance(news, Died):
                self._sentence("✗", "red", ("To the dead letters", "bold"), (f" ({news.reason}): {news.message}", ""))

    def verdict(self, summary: Summary) -> None:
        """Print whether the outcome is as the manifest says."""
        self._say()
        if summary.ok:
            self._steps.done("as expected", f"{summary}, and nothing else", summary.seconds)
        else:
            self._steps.trouble(f"not as expected: {summary} after {summary.seconds:.1f} s")
            for difference in summary.differences:
                self._say(Text(f"    {difference}"))

    def what_next(self, suffix: str) -> None:
        """Print commands to try on the data of the story."""
        number = f"C-1042-{suffix}" if suffix else "C-1042"
        commands = (
            (f"cxbus customer show {number}", "Ada's whole story"),
            (f"cxbus alerts explain {self._alert_id}", "why an alert was sent"),
            ("cxbus dead list", "events that could not be used"),
            ("cxbus status", "topics, workers, lag"),
            ("cxbus send FILE", "an event of your own"),
        )
        self._say()
        self._say("Try next, in another terminal:")
        first = activation()
        for command, words in ((first, "so that cxbus is found"), *commands) if first else commands:
            self._say(Text.assemble("  ", (f"{command:<52}", "bold"), (words, "dim")))
        self._say()
        self._say("New alerts appear here. Ctrl-C stops everything; the data stays.")

    def _happened(self, event: StoryEvent) -> None:
        if self._beneath:
            self._say()
        self._beneath = False
        head = Text.assemble((f"  {_clock(event.at):%H:%M}  {event.department:<11}", "dim"))
        self._wrapped(head, Text(event.says))

    def _alert(self, data: Mapping[str, Any]) -> None:
        state = data["state"]
        sign, style = ("!", "yellow") if state in ("fired", "updated") else ("✓", "green")
        who = data["customer"]["name"] or data["customerId"]
        self._sentence(sign, style, (f"To {', '.join(data['departments'])}:", "bold"), (f" {who}, {data['rule']}", ""))
        if state in _OVER:
            self._sentence(" ", "", (_OVER[state], ""))
            return
        self._alert_id = self._alert_id or data["alertId"]
        self._sentence(" ", "", (data["reason"], ""))
        self._sentence("→", "green", (data["action"], ""))

    def _sentence(self, sign: str, style: str, *parts: tuple[str, str]) -> None:
        """Print a result of an event, beneath it."""
        self._beneath = True
        self._wrapped(Text.assemble(" " * INDENT, (sign, style), " "), Text.assemble(*parts))

    def _wrapped(self, head: Text, text: Text) -> None:
        """Print ``text`` after ``head``, further lines indented by the width of ``head``."""
        for line in text.wrap(self._console, self._console.width - len(head)):
            line.rstrip()
            self._console.print(head + line, soft_wrap=True)
            head = Text(" " * len(head))

    def _say(self, text: Text | str = "") -> None:
        self._console.print(text, soft_wrap=True)


def _clock(instant: int) -> datetime:
    """An instant (µs) as a UTC ``datetime``: the bus shows all times in UTC."""
    return datetime.fromtimestamp(instant // 1_000_000, UTC)
