"""Runs the worker until SIGTERM."""

from __future__ import annotations

import os

import faust

from ..place import Place
from .app import build


def main() -> None:
    """The environment says where."""
    worker = faust.Worker(build(Place.of(os.environ)), loglevel="ERROR")
    # It moves with every debug message, and so has all of them made: 5 % of the time.
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
