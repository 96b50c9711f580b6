"""``cxbus sink``: one sink in this process."""

from __future__ import annotations

import typer

from engine.kafka.limits import DecompressionLimits
from runtime import log
from runtime.shutdown import Shutdown
from sinks.base import SinkLost

from .bus import bus_of
from .problem import Code, Problem
from .sink_input import sink_group, sink_topics


def sink(context: typer.Context) -> None:
    """Run one sink, which copies timelines, profiles, alerts and identities into the database.

    `cxbus run` starts one; on a cluster run exactly one for each database. It waits while Kafka is unreachable.

    Example: CXBUS_BOOTSTRAP=kafka:9092 CXBUS_DATABASE=sqlite:////var/lib/cxbus.db cxbus sink
    """
    from sinks.process import SinkConfig, SinkProcess  # imports the whole sink, which the help does not need

    bus = bus_of(context)
    log.configure(verbose=bus.given.verbose)
    settings, bootstrap, ending = bus.settings, bus.address(), Shutdown()
    ending.listen()  # before anything starts a thread
    place = SinkConfig(
        bootstrap,
        sink_topics(bus),
        sink_group(bus),
        bus.database,
        settings.data_dir,
        settings.ops_host,
        settings.ops_port,
        DecompressionLimits(settings.unpacked_batch_bytes, settings.unpacked_bytes),
    )
    try:
        raise typer.Exit(SinkProcess(place, ending).run())
    except SinkLost as lost:
        raise Problem(f"{lost} Start the sink again: it fills a new database from the topics.", Code.WRONG) from lost
