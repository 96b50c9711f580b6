"""The file in the data directory about the demo: the story is published once, and can be shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

NAME = "demo.json"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """``now`` (µs) and ``suffix`` determine the story; ``offsets`` are the ends of the topics before it began.

    ``cluster`` is the id of the Kafka on which it was published. If not ``played``, it was interrupted: the missing
    events can be published with the same bytes.
    """

    cluster: str
    now: int
    suffix: str
    offsets: Mapping[str, list[int]]
    played: bool = False

    def finished(self) -> RunRecord:
        """The same record, with ``played`` set."""
        return replace(self, played=True)

    def save(self, data_dir: Path) -> None:
        """Replace the file atomically."""
        beside = data_dir / f"{NAME}.new"
        beside.write_text(json.dumps(asdict(self)))
        beside.replace(data_dir / NAME)


def remembered(data_dir: Path, cluster: str) -> RunRecord | None:
    """The stored record; None if it can't be read or belongs to another cluster."""
    try:
        run_record = RunRecord(**json.loads((data_dir / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return run_record if run_record.cluster == cluster else None
