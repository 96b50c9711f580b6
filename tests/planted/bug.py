"""A bug as data: what is replaced by what, and who should notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.planted.checks import needs_kafka


class OutOfDate(Exception):
    """The list of bugs no longer fits the source."""


@dataclass(frozen=True, slots=True)
class Bug:
    """``old`` stands exactly once in ``file`` (relative to the project) and becomes ``new``.

    ``means``: one sentence. ``checks``: pytest node ids; at least one must fail.
    """

    name: str
    means: str
    file: str
    old: str
    new: str
    checks: tuple[str, ...]

    @property
    def fast(self) -> bool:
        """None of its checks needs Kafka."""
        return not any(needs_kafka(check) for check in self.checks)

    def planted(self, root: Path) -> str:
        """The text of the file with the bug in it. Raises ``OutOfDate``."""
        path = root / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = text.count(self.old)
        if found != 1:
            raise OutOfDate(
                f"{self.name}: its text stands {found} times in {self.file}, not once: mend the list of bugs"
            )
        return text.replace(self.old, self.new)
