"""The options of ``cxbus`` itself, before settings are read from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """The options of ``cxbus`` itself; None if an option was not given."""

    bootstrap: str | None = None
    data_dir: Path | None = None
    verbose: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """Setting name → value, for the options that are settings and were given."""
        said = {"bootstrap": self.bootstrap, "data_dir": self.data_dir}
        return {name: value for name, value in said.items() if value is not None}
