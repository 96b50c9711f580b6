"""``cxbus worker``: one Faust worker in this process."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from engine.kafka.errors import Fatal, Permanent
from runtime import log
from runtime.ending import Ending

from .bus import bus_of
from .problem import Code, Problem, lasting


def worker(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="Tells the workers on one machine apart: a-z, 0-9, hyphens.")] = "0",
) -> None:
    """Run one worker: intake, resolver and journey.

    `cxbus run` starts them; on a cluster run as many as you like, each with a name of its own on its machine. It waits
    for a Kafka that is away, and ends with 0 when it is told to stop, with 1 when something went wrong that a restart
    mends, with 2 when no restart mends it.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_PARTITIONS=12 CXBUS_IDENTITY_KEY=… cxbus worker --name a
    """
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,39}", name):
        raise Problem(f"--name {name!r} can't be: use a-z, 0-9 and hyphens, 40 at most.", Code.USAGE)
    from agents.app import Worker  # Faust: seconds on a small machine, which the help can do without

    bus = bus_of(context)
    log.configure(verbose=bus.given.verbose)
    settings, bootstrap, ending = bus.settings, bus.address(), Ending()
    ending.listen()  # before anything starts a thread
    try:
        made = Worker(settings, bootstrap, name)
    except (OSError, Fatal) as error:  # its directory: no room, no right to write
        for_good = lasting(error) if isinstance(error, OSError) else isinstance(error, Permanent)
        raise Problem(f"The worker can't start: {error}.", Code.USAGE if for_good else Code.WRONG) from error
    raise typer.Exit(made.run(ending))
