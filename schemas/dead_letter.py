"""The headers of a dead letter: what the bus says of a record that could not be used, behind those it came with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ERRORS = "__cxbus.errors."
"""With this begin the names of all that the bus says."""
STAGE = "stage"
"""The first of them."""
RETRY_OF = "__cxbus.retry-of"
"""On a letter that was published once more: the place of the letter."""


def told(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """What the bus says, by names without ``ERRORS``.

    A department may use such names too (it republished a letter, say): what the bus says stands behind all of its own.
    """
    found: dict[str, bytes] = {}
    for name, value in headers:
        if name.startswith(ERRORS):
            if name == ERRORS + STAGE:
                found.clear()
            found[name.removeprefix(ERRORS)] = value or b""
    return found


def origins(told: Mapping[str, bytes]) -> list[str]:
    """Places, ``<topic>/<partition>/<offset>``, of the records that the letter is about: one, or a whole range.

    Raises ``KeyError`` when they are not told, ``ValueError`` for offsets that are no numbers.
    """
    log = f"{told['topic'].decode()}/{told['partition'].decode()}"
    first = int(told["offset"])
    return [f"{log}/{offset}" for offset in range(first, int(told.get("last-offset", first)) + 1)]
