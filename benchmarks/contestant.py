"""Who takes part: a program that works off the backlog, and how it is started and told to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


class CannotRun(Exception):
    """This contestant can't run on this machine; the message says what it lacks. The others can."""


class Failed(Exception):
    """A contestant did not do its work; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round happens. ``prefix`` is new for each, ``home`` an empty directory."""

    bootstrap: str
    prefix: str
    partitions: int
    home: Path


@dataclass(frozen=True, slots=True)
class Outlets:
    """The topics that a contestant writes. ``hop``: on its way to the customer's partition."""

    hop: str
    timeline: str
    profiles: str
    alerts: tuple[str, ...]


class Reading(NamedTuple):
    """What one that only reads says at its end. Times in Unix seconds."""

    begin: float
    end: float
    records: int


class Running(Protocol):
    """A contestant at work."""

    @property
    def pids(self) -> Sequence[int]:
        """The roots of its processes."""
        ...

    @property
    def outlets(self) -> Outlets | None:
        """``None`` for one that writes nothing."""
        ...

    def reading(self) -> Reading | None:
        """Of one that writes nothing, once it has ended. Raises ``Failed``."""
        ...

    def check(self) -> None:
        """Raises ``Failed`` when it has ended by itself."""
        ...

    def details(self) -> Mapping[str, float]:
        """Figures of its own, for whoever tunes it."""
        ...


class Contestant(Protocol):
    """One that can be started as often as there are rounds."""

    @property
    def name(self) -> str:
        """As it stands in the table, and in ``--contestants``."""
        ...

    def prepare(self, build: Path) -> Mapping[str, str]:
        """Builds what it needs below ``build``, once; its versions by name. Raises ``CannotRun``."""
        ...

    def at_work(self, place: Place) -> AbstractContextManager[Running]:
        """Started at the beginning of the block, ended at its end; topics of its own are made before and stay."""
        ...
