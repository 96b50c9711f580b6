"""Runs the application until SIGTERM."""

from __future__ import annotations

import os

from ..place import Place
from .app import build


def main() -> None:
    """The environment says where."""
    build(Place.of(os.environ)).run()


if __name__ == "__main__":
    main()
