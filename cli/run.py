"""``cxbus run``: the whole bus in the foreground."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from runtime.settings import MOST_WORKERS
from runtime.shutdown import Shutdown

from .bus import bus_of
from .steps import Steps
from .supervisor import Supervisor, interruptible
from .words import activation


def run(
    context: typer.Context,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_WORKERS, help="Number of workers; default CXBUS_WORKERS, else as many as fit the cores."
        ),
    ] = None,
) -> None:
    """Start the bus on this machine and keep it running until Ctrl-C.

    That is: a Kafka of its own (unless --bootstrap or CXBUS_BOOTSTRAP names one), the workers and a sink. A process
    that dies or hangs is started again, unless no restart would help. All data is kept in the data directory for the
    next start.

    Example: cxbus run --workers 2
    """

    bus = bus_of(context)
    settings = bus.settings if workers is None else bus.settings.model_copy(update={"workers": workers})
    steps = Steps()
    began = time.monotonic()
    data_dir = settings.data_dir.absolute()
    database = bus.database
    try:
        with interruptible():
            steps.say(f"Starting the bus in {data_dir}")
            with Supervisor(settings, steps, verbose=bus.given.verbose, ending=Shutdown()) as supervisor:
                try:
                    supervisor.wait_ready()
                    steps.done("database", str(database))
                    steps.done("logs", str(data_dir / "logs"))
                    steps.say(f"The bus runs, after {time.monotonic() - began:.1f} s. Ctrl-C stops it.")
                    hints = [activation(), "cxbus status", "cxbus send FILE", "cxbus tail alerts"]
                    steps.say("In another terminal: " + " · ".join(hint for hint in hints if hint))
                    supervisor.wait()
                except KeyboardInterrupt:
                    steps.say("\nStopping…")
                    began = time.monotonic()
            steps.say(f"Stopped, after {time.monotonic() - began:.1f} s.")
    except KeyboardInterrupt:  # during the start
        steps.say("\nStopped.")
