"""Ends a worker that makes no progress: Faust's agents and services can die while the process stays up."""

from __future__ import annotations

from collections.abc import Mapping

from faust.types import TP

from engine.faust.partition_buffer import Progress


class Watchdog:
    """Tracks since when there is no progress. All times in seconds that this process could work (``OwnTime``).

    ``still``: how long an open batch, or lag, may wait without any batch done. ``rebalance``: how long a rebalance may
    last. A restore is not watched here: it detects a stall by itself.
    """

    def __init__(self, still: float, rebalance: float) -> None:
        self._still = still
        self._rebalance = rebalance
        self._open: dict[TP, tuple[int, float]] = {}
        self._seen: dict[TP, int] = {}
        self._lagging: float | None = None
        self._stable_at: float | None = None

    def complaint(
        self, progress: Mapping[TP, Progress], now: float, *, rebalancing: bool, restoring: bool
    ) -> str | None:
        """What makes no progress at ``now``, in words; ``None`` if all is well."""
        if self._stable_at is None or not rebalancing:
            self._stable_at = now
        if rebalancing or restoring:
            self._open, self._lagging = {}, None
            late = now - self._stable_at > self._rebalance
            return f"a rebalance did not end within {self._rebalance:g} s" if late else None
        self._note(progress, now)
        for tp, (_, since) in self._open.items():
            if now - since > self._still:
                return f"partition {tp.partition} of {tp.topic}: a batch has not finished after {self._still:g} s"
        if self._lagging is not None and now - self._lagging > self._still:
            return f"there is lag, and no batch has finished for {self._still:g} s"
        return None

    def _note(self, progress: Mapping[TP, Progress], now: float) -> None:
        still_open = {}
        for tp, one in progress.items():
            if one.in_flight:
                done, since = self._open.get(tp, (one.done, now))
                still_open[tp] = (one.done, since if done == one.done else now)
        self._open = still_open
        moved = any(one.done != self._seen.get(tp, one.done) for tp, one in progress.items())
        self._seen = {tp: one.done for tp, one in progress.items()}
        if not any(one.lag for one in progress.values()):
            self._lagging = None
        elif moved or self._lagging is None:
            self._lagging = now
