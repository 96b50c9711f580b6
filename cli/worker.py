"""``cxbus worker``: one Faust worker in this process."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from engine.kafka.errors import Fatal, Permanent
from runtime import log
from runtime.shutdown import Shutdown

from .bus import bus_of
from .problem import Code, Problem, lasting


def worker(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="Tells the workers on one machine apart: a-z, 0-9, hyphens.")] = "0",
) -> None:
    """Run one worker: intake, resolver and journey.

    `cxbus run` starts them; on a cluster run as many as you like, each with a name of its own on its machine. A worker
    waits while Kafka is unreachable. It ends with 0 on SIGTERM, with 1 after an error that a restart fixes, with 2
    after one that no restart fixes.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_PARTITIONS=12 CXBUS_IDENTITY_KEY=… cxbus worker --name a
    """
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,39}", name):
        raise Problem(f"--name {name!r} is not valid: use a-z, 0-9 and hyphens, 40 at most.", Code.USAGE)
    from agents.app import Worker  # imports Faust, which takes seconds on a small machine

    bus = bus_of(context)
    log.configure(verbose=bus.given.verbose)
    settings, bootstrap, ending = bus.settings, bus.address(), Shutdown()
    ending.listen()  # before anything starts a thread
    try:
        made = Worker(settings, bootstrap, name)
    except (OSError, Fatal) as error:  # of its directory: no space, no permission to write
        for_good = lasting(error) if isinstance(error, OSError) else isinstance(error, Permanent)
        raise Problem(f"The worker can't start: {error}.", Code.USAGE if for_good else Code.WRONG) from error
    raise typer.Exit(made.run(ending))
