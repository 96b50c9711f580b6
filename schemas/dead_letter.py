"""The headers of a dead letter: those of the record that could not be used, then what the bus says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ERRORS = "__cxbus.errors."
"""The names of all headers that the bus adds begin with this."""
STAGE = "stage"
"""The first of these headers, without ``ERRORS``."""
RETRY_OF = "__cxbus.retry-of"
"""Header of a dead letter that was published again: the dead letter's position, ``<topic>/<partition>/<offset>``."""


def error_headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """The headers that the bus added, by names without ``ERRORS``.

    A department may use such names too, for instance when it republishes a dead letter; the bus's come after them.
    """
    found: dict[str, bytes] = {}
    for name, value in headers:
        if name.startswith(ERRORS):
            if name == ERRORS + STAGE:
                found.clear()
            found[name.removeprefix(ERRORS)] = value or b""
    return found


def origins(error_headers: Mapping[str, bytes]) -> list[str]:
    """Positions, ``<topic>/<partition>/<offset>``, of the records that the dead letter is about: one, or a whole range.

    Raises ``KeyError`` if the headers do not say them, ``ValueError`` for offsets that are no numbers.
    """
    log = f"{error_headers['topic'].decode()}/{error_headers['partition'].decode()}"
    first = int(error_headers["offset"])
    return [f"{log}/{offset}" for offset in range(first, int(error_headers.get("last-offset", first)) + 1)]
