"""Where a peer runs: what the benchmark tells it in its environment, and what it tells the benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A broker, names that are this run's own, and an empty directory."""

    bootstrap: str
    prefix: str
    partitions: int
    state: Path
    inputs: tuple[str, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place:
        """Raises KeyError when the benchmark did not say something."""
        return cls(
            bootstrap=environ["BENCH_BOOTSTRAP"],
            prefix=environ["BENCH_PREFIX"],
            partitions=int(environ["BENCH_PARTITIONS"]),
            state=Path(environ["BENCH_STATE"]),
            inputs=tuple(environ["BENCH_INPUT"].split(",")),
        )

    def topic(self, name: str) -> str:
        """The full name of one of this run's topics."""
        return f"{self.prefix}.{name}"


def announce(hop: str, timeline: str, profiles: str, alerts: str) -> None:
    """Says in one line of JSON where the results are to be found."""
    print(json.dumps({"hop": hop, "timeline": timeline, "profiles": profiles, "alerts": alerts}), flush=True)
