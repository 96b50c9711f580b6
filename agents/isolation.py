"""A bug of the bus costs only the event that triggers it: a retry would fail again."""

from __future__ import annotations

import structlog

from schemas.refusal import Refusal, decision_error

log = structlog.get_logger("agents.isolation")


def isolated(stage: str, error: Exception) -> Refusal:
    """Logs the failure without its text, which may hold personal data; returns why the event is refused."""
    log.error("a decision failed, its record becomes a dead letter", stage=stage, error=type(error).__name__)
    log.debug("where it failed", exc_info=error)
    return decision_error(error)
