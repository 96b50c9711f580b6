"""Plays the story: publishes its missing events one by one, and prints the result of each."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

from schemas.topics import JOURNAL, LINKS, events_topic

from .kafka_io import CommittedRecord, KafkaIO
from .narrator import Narrator
from .observed import Observed
from .story import Story

SCENE = 400
"""Records within so many ms (append time) are printed together: events first, then their results."""


class Play:
    """Plays ``story``. ``group`` is the workers' consumer group, ``pause`` the seconds between two events.

    Its methods may raise ``kafka_io.OutOfTime`` and ``kafka.errors.KafkaError``.
    """

    def __init__(
        self, story: Story, kafka: KafkaIO, observed: Observed, narrator: Narrator, *, group: str, pause: float
    ) -> None:
        self._story = story
        self._kafka = kafka
        self._observed = observed
        self._narrator = narrator
        self._group = group
        self._pause = pause

    def perform(self) -> None:
        """Publish the prologue at once, and the day event by event: each after the result of the one before is printed.

        So the late event arrives late, after the alert that it retracts. Events that were published before are skipped.
        """
        self._take(self._kafka.hear_all())
        self._prologue()
        self._narrator.day(self._story)
        self._tell()
        for event in self._story.day:
            if self._observed.has(event):
                continue
            self._kafka.publish([event])
            self._take(self._kafka.hear_until(partial(self._observed.has, event), self._missing))
            self._take(self._kafka.hear_all())
            self._tell()
            time.sleep(self._pause)
        departments = {events_topic(event.department) for event in self._story.events}
        self._kafka.wait_for_group(self._group, [*sorted(departments), LINKS, JOURNAL])
        self._take(self._kafka.hear_all())
        self._tell()

    def show_again(self) -> None:
        """Print the story that was played before, from the topics."""
        self._narrator.day(self._story, again=True)
        told = 0
        for heard in sorted(self._kafka.hear_all(), key=lambda heard: heard.at):
            if heard.at > told + SCENE:
                self._tell()
            told = heard.at
            self._take([heard])
        self._tell()

    def stay(self) -> None:
        """Print news about all customers until interrupted."""
        for _ in self._observed.news(strangers=True):
            pass  # earlier alerts of other customers are not news
        while True:
            self._take(self._kafka.hear())
            self._tell(strangers=True)

    def _prologue(self) -> None:
        prologue = self._story.prologue
        began = time.monotonic()

        def left() -> int:
            return sum(not self._observed.has(event) for event in prologue)

        self._kafka.publish(event for event in prologue if not self._observed.has(event))
        with self._narrator.progress(len(prologue)) as advance:
            for heard in self._kafka.hear_until(lambda: left() == 0, self._missing):
                self._take([heard])
                advance(len(prologue) - left())
        self._narrator.prologue(prologue, time.monotonic() - began)

    def _take(self, records: Iterable[CommittedRecord]) -> None:
        for record in records:
            self._observed.take(record.topic, record.key, record.value, record.headers)

    def _tell(self, *, strangers: bool = False) -> None:
        for news in self._observed.news(strangers=strangers):
            self._narrator.tell(news)

    def _missing(self) -> str:
        return f"{self._observed.missing} events, which are neither on a timeline nor in the dead letters"
