"""Logs: one line for each record; text on a terminal, JSON elsewhere. Never personal data: no values of events."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure(*, verbose: bool = False) -> None:
    """Sends everything to stderr. ``verbose`` shows debug lines and tracebacks."""
    terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if verbose or not terminal:
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=os.environ.get("TERM", "") not in ("dumb", "unknown"),
            exception_formatter=structlog.dev.plain_traceback,
        )
        if terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not str(record.msg).startswith("[^"))  # Faust's services starting and stopping
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("aiokafka", "kafka", "faust", "mode", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.DEBUG if verbose else logging.ERROR)
