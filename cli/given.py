"""What the command line says of the whole bus, before anybody looks for more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """The options of ``cxbus`` itself; None where nothing was said."""

    bootstrap: str | None = None
    data_dir: Path | None = None
    verbose: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The settings among them, by name: those that were said."""
        said = {"bootstrap": self.bootstrap, "data_dir": self.data_dir}
        return {name: value for name, value in said.items() if value is not None}
