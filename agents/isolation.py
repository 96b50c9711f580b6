"""A mistake of the bus's own costs the one event that brought it to light: it would come again with every try."""

from __future__ import annotations

import structlog

from schemas.refusal import Dead, decision_error

log = structlog.get_logger("agents.isolation")


def isolated(stage: str, error: Exception) -> Dead:
    """Tells ops of the mistake, without its text, which may hold personal data; returns why the event is refused."""
    log.error("a decision failed, it is isolated", stage=stage, error=type(error).__name__)
    log.debug("where it failed", exc_info=error)
    return decision_error(error)
