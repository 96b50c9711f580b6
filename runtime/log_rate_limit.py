"""A rate limit for log records: aiokafka repeats the same one a hundred times a second while a broker is down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_SECONDS = 10.0


class RateLimited(logging.Filter):
    """Lets one record of each kind (logger and message template) pass every ``seconds``, with the number dropped
    before.
    """

    def __init__(self, seconds: float = EVERY_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._passed: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Limits warnings and errors; lower levels pass."""
        if record.levelno < logging.WARNING:
            return True
        kind, now = (record.name, str(record.msg)), self._clock()
        last, left_out = self._passed.get(kind, (float("-inf"), 0))
        if now - last < self._seconds:
            self._passed[kind] = last, left_out + 1
            return False
        self._passed[kind] = now, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", ()
        return True


def limit_rate(name: str) -> None:
    """Attach one filter to the logger ``name`` and to its existing children; handlers stay as they are."""
    limited = RateLimited()
    for known in [name, *logging.root.manager.loggerDict]:
        if known == name or known.startswith(f"{name}."):
            logger = logging.getLogger(known)
            if not any(isinstance(one, RateLimited) for one in logger.filters):
                logger.addFilter(limited)
