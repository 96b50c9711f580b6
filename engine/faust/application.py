"""The Faust application, configured so that nothing relies on Faust's own guarantees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import faust
import structlog
from faust.transport.drivers import TRANSPORTS
from faust.types import TP

from engine.faust.host import Ownership
from engine.faust.instance import instance_id
from engine.faust.partition_buffer import Progress
from engine.faust.rounds import Unread
from engine.kafka.broker_errors import fatal
from engine.kafka.errors import Fatal
from engine.kafka.limits import SESSION_SECONDS, DecompressionLimits, Fetch
from engine.kafka.privates.fetches import install_bounded_fetching
from engine.kafka.privates.requests import install_fast_encoding
from runtime.own_time import Pulse

if TYPE_CHECKING:
    from engine.faust.transport import BatchConsumer

log = structlog.get_logger("engine.faust.application")

SCHEME = "cxbus"
HEARTBEAT_SECONDS = 2.5
REBALANCE_SECONDS = 30.0
"""Rebalance time-out: the group goes on without a worker that takes longer to give up its partitions."""


class Application(faust.App):
    """A Faust app whose agents get batches and commit by themselves, and whose errors end the process."""

    def __init__(self, app_id: str, *, bootstrap: str, instance: str, fetch: Fetch, lock: Path, **options: Any) -> None:
        self.bootstrap = bootstrap
        self.instance = instance
        self.fetch = fetch
        self.lock = lock
        self.listeners: list[Ownership] = []
        self.needs: set[str] = set()
        self.timely: set[str] = set()
        self.on_lost: Callable[[str, int, int], None] | None = None
        """See :meth:`engine.transactional.observer.Observer.lost`."""
        self.on_failure: Callable[[Fatal], None] | None = None
        """Called with the error that ends the process, at once and in whatever thread it was raised."""
        self.pulse = Pulse()
        self.leaving = False
        """Whether the worker is stopping, for whatever reason: it takes no new work."""
        self.failure: Fatal | None = None
        self.failed = asyncio.Event()
        super().__init__(app_id, **options)

    def batch_topic(self, *topics: str, by_time: bool = False) -> faust.TopicT:
        """A channel for ``@app.agent``: iterate it with :func:`engine.faust.rounds.rounds`, and never yield.

        ``by_time``: the batches of all such topics of the app are delivered in the order of their broker time.
        """
        self.needs.update(topics)
        if by_time:
            self.timely.update(topics)
        return self.topic(*topics, schema=Unread())

    def register(self, ownership: Ownership) -> None:
        """Notify ``ownership`` of assignments of its topic, and close it when the worker ends."""
        self.needs.add(ownership.progress_topic)
        self.listeners.append(ownership)

    def progress(self) -> dict[TP, Progress]:
        """The progress of each partition from which this worker has fetched; empty before it has a consumer."""
        return cast("BatchConsumer", self.consumer).progress() if self._consumer is not None else {}

    def outside(self) -> str | None:
        """Why this worker is not a member of a stable group, in words; ``None`` if it is. Callable from any thread."""
        if self._consumer is None:
            return "not yet a member of the consumer group"
        return (
            "the consumer group is rebalancing" if self.rebalancing else cast("BatchConsumer", self.consumer).outside()
        )

    def given(self, topic: str) -> set[int]:
        """The partitions of ``topic`` that are assigned to this worker. Callable from any thread."""
        return cast("BatchConsumer", self.consumer).given(topic) if self._consumer is not None else set()

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Report deleted records of a topic without an owner among the listeners."""
        if self.on_lost is not None:
            self.on_lost(topic, partition, records)

    def fatal(self, error: Fatal) -> None:
        """Ends the process; the one place for errors that do so. The first error counts."""
        if self.failure is None:
            self.failure, self.leaving = error, True
            if self.on_failure is not None:
                self.on_failure(error)
            log.critical("worker must end", reason=str(error), cause=repr(error.__cause__) if error.__cause__ else None)
            self.failed.set()

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        """Ends the process: Faust would acknowledge the event, log the error, and restart the agent."""
        self.fatal(fatal(f"agent {agent.name}", exc))
        await asyncio.Event().wait()  # until the worker stops: the agent must not take another batch


def create_app(
    app_id: str,
    *,
    bootstrap: str,
    data_dir: Path,
    fetch: Fetch | None = None,
    unpacking: DecompressionLimits | None = None,
) -> Application:
    """A Faust app of group ``app_id``. Nothing connects before :func:`engine.faust.worker.run_worker`.

    ``bootstrap``: ``host:port[,host:port…]``. ``data_dir`` belongs to this worker alone: lock file, id, Faust's (empty)
    folders. The worker is a static member of the group: when it dies and is back within the session time-out, it gets
    its partitions again at once, without a rebalance. One that is asked to stop leaves the group.
    """
    install_bounded_fetching(unpacking or DecompressionLimits())
    install_fast_encoding()
    TRANSPORTS.aliases.setdefault(SCHEME, "engine.faust.transport:Transport")
    data_dir.mkdir(parents=True, exist_ok=True)
    return Application(
        app_id,
        bootstrap=bootstrap,
        instance=instance_id(data_dir),
        fetch=fetch or Fetch(),
        lock=data_dir / "worker.lock",
        broker=[f"{SCHEME}://{server.strip()}" for server in bootstrap.split(",")],
        autodiscover=False,
        datadir=data_dir,
        store="memory://",
        web_enabled=False,
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        processing_guarantee="at_least_once",
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_request_timeout=30.0,
        stream_recovery_delay=0.0,
        stream_wait_empty=True,
        stream_buffer_maxsize=4096,  # batches; the transport's window bounds the memory, so this must never block
        worker_redirect_stdouts=False,
    )
