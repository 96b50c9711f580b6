"""Checks this machine: settings, data directory, rules, clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ..words import listed
from .brokers import span
from .finding import Finding, ok, warning, wrong

GIB = 1024**3
SCARCE, LITTLE = GIB // 4, 2 * GIB
"""Free bytes. Below the first, caches and logs soon can't be written; below the second, one busy day may fill it."""
ASTRAY = 5_000
"""Milliseconds by which a clock may be wrong: a synchronised one is wrong by less than a tenth of a second."""
OTHERS = frozenset({"cache", "maven_mirror", "supervisor"})
"""``CXBUS_`` names that are no settings: two for Kafka's files, and one that the supervisor passes to its children."""


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """A source of settings: its name, and the lower-case names of the settings in it."""

    name: str
    settings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory. ``reason`` says why it can't be written, empty if it can. ``free`` in bytes."""

    path: str
    reason: str
    free: int


def settings(sources: Sequence[SettingsSource], known: Sequence[str], refused: Sequence[str]) -> list[Finding]:
    """``sources``: highest precedence first. ``refused``: a message for each missing or invalid setting."""
    where = [(name, source.name) for name in known if (source := _first(sources, name)) is not None]
    told = ", ".join(f"{name} from {source}" for name, source in where)
    findings = [ok("settings", f"{told}; all else by default" if told else "all by default")]
    if refused:
        findings = [
            wrong("settings", problem, "Set it in the environment, .env or cxbus.toml; docs/operations.md lists all.")
            for problem in refused
        ]
    return [*findings, *_unknown(sources, known)]


def _first(sources: Sequence[SettingsSource], name: str) -> SettingsSource | None:
    return next((source for source in sources if name in source.settings), None)


def _unknown(sources: Sequence[SettingsSource], known: Sequence[str]) -> Iterator[Finding]:
    for source in sources:
        for name in sorted(source.settings - set(known) - OTHERS):
            meant = get_close_matches(name, known, 1)
            mend = f"Did you mean {_spelt(meant[0])}? " if meant else ""
            yield warning(
                "settings",
                f"{_spelt(name)} in {source.name} is not a setting, and is ignored",
                f"{mend}Correct or remove it.",
            )


def _spelt(name: str) -> str:
    return f"CXBUS_{name.upper()}"


def folder(found: Folder) -> Finding:
    """Checks whether the data directory is writable and has free space."""
    if found.reason:
        return wrong(
            "data directory",
            f"{found.path} can't be written: {found.reason}",
            "Give this user the right to write there, or name another directory in CXBUS_DATA_DIR.",
        )
    free = f"{found.path}, {found.free / GIB:.1f} GiB free"
    room = "Free space on that disk, or move the data directory while the bus is stopped (CXBUS_DATA_DIR)."
    if found.free < SCARCE:
        return wrong("data directory", f"{free}: the next writes may fail", room)
    if found.free < LITTLE:
        return warning("data directory", f"{free}: nearly full", room)
    return ok("data directory", free)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a folder. ``digest`` is empty if there are none; ``error`` is empty if they can be used."""

    folder: str
    count: int
    digest: str
    error: str


def rules(found: Rules) -> Finding:
    """Checks the rules with which a worker on this machine would start."""
    if not found.error:
        return ok("rules", f"{found.count} in {found.folder}, digest {found.digest}")
    if not found.digest:
        return wrong(
            "rules",
            found.error,
            "Set CXBUS_RULES_DIR to the folder of your rules, or remove the setting to use the shipped rules.",
        )
    where = f"{found.folder}: {found.error}"
    return wrong("rules", where, "Fix the file; `cxbus rules check` says when it is valid.")


def clock(now: int, newest: Mapping[str, int]) -> Finding:
    """``now`` of this machine; ``newest``: topic → its latest append time. Both in ms since 1970.

    An append time in the future shows that this machine's clock is behind the brokers'. A clock that is ahead can't be
    told apart from a bus without new records.
    """
    if not newest:
        return ok("clock", "not compared: nothing was published yet")
    ahead = max(newest.values()) - now
    if ahead > ASTRAY:
        at = listed([name for name, time in newest.items() if time - now == ahead])
        return warning(
            "clock",
            f"by this machine's clock the newest record of {at} is {span(ahead)} in the future",
            "Let both this machine and the brokers take their time from the network (chrony, systemd-timesyncd).",
        )
    return ok("clock", "not behind the brokers'")
