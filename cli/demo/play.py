"""The demo in one sentence: what is missing of the story is published, event by event, and what comes of it is told."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

from schemas.topics import JOURNAL, LINKS, events_topic

from .kafka_io import Heard, KafkaIO
from .narrator import Narrator
from .observed import Observed
from .story import Story

SCENE = 400
"""What the broker got within so many ms of each other is told together: events first, then what came of them."""


class Play:
    """A performance of ``story``. ``group`` is the workers' consumer group, ``pause`` the seconds between two scenes.

    What it does may raise ``kafka_io.OutOfTime`` and ``kafka.errors.KafkaError``.
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
        """Publishes the prologue at once, and the day event by event: each when what came of the one before is told.

        So the late event is late, and an alert that it takes back was there. What was published before is not again.
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
        """Tells what was played before, from the topics."""
        self._narrator.day(self._story, again=True)
        told = 0
        for heard in sorted(self._kafka.hear_all(), key=lambda heard: heard.at):
            if heard.at > told + SCENE:
                self._tell()
            told = heard.at
            self._take([heard])
        self._tell()

    def stay(self) -> None:
        """Goes on telling, now of everybody, until interrupted."""
        for _ in self._observed.news(strangers=True):
            pass  # what others were told before is not news
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

    def _take(self, records: Iterable[Heard]) -> None:
        for record in records:
            self._observed.take(record.topic, record.key, record.value, record.headers)

    def _tell(self, *, strangers: bool = False) -> None:
        for news in self._observed.news(strangers=strangers):
            self._narrator.tell(news)

    def _missing(self) -> str:
        return f"{self._observed.missing} events, which are neither on a timeline nor in the dead letters"
