"""``cxbus demo``: starts the bus, plays a story on it, and shows the outcome."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.bus import bus_of
from cli.problem import Code, Problem
from cli.supervisor import interruptible

from .manifest import EXPECTED, ManifestError, load
from .performance import Performance


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the story, and keep no data.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON summary on stdout; the story on stderr.")] = False,
    manifest: Annotated[
        Path | None, typer.Option(hidden=True, help="File with the expected outcome of the story.")
    ] = None,
) -> None:
    """Start the bus, play a business day on it, and show which department receives which alert.

    The story is published once per data directory; later starts show it again.

    With --once it is played in a temporary directory or, on your own Kafka,
    with customers that only this run has. Exit 0: exactly the expected alerts
    came; 1: others came, or some are missing; 3: not within two minutes.

    Example: cxbus demo --once --json
    """

    try:
        expected = load(manifest or EXPECTED)
    except ManifestError as error:
        raise Problem(str(error), Code.USAGE) from error
    bus = bus_of(context)
    out = sys.stderr if as_json else sys.stdout
    code = Code.WRONG if once else Code.OK  # if it is interrupted
    try:
        with interruptible():
            performance = Performance(bus.settings, expected, out, as_json=as_json, verbose=bus.given.verbose)
            code = performance.once() if once else performance.stay()
    except KeyboardInterrupt:
        print(
            "Stopped before the story's end."
            if once
            else "Stopped. The data is kept: the next `cxbus demo` shows it again.",
            file=out,
        )
    raise typer.Exit(code)
