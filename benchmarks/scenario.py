"""What is measured: how many events, of how many customers, and how unevenly they come."""

from __future__ import annotations

import re
from dataclasses import dataclass

ZIPF = 1.0
"""Exponent of uneven scenarios (Zipf): the customer of rank r has a share that falls as 1/r."""

HEAD = 100
"""Of tilted ones: it falls as 1/(r + HEAD) (Mandelbrot). Of 20,000 customers the first has 0.2 % of all events, about
what one large company may do; of skewed ones 9.5 %, which nobody does.
"""

SPREADS = {"uniform": (0.0, 0), "tilted": (ZIPF, HEAD), "skewed": (ZIPF, 0)}

_NAME = re.compile(rf"(\d+)([kM]?)-({'|'.join(SPREADS)})")
_THOUSANDS = {"": 1, "k": 1_000, "M": 1_000_000}


class UnknownScenario(Exception):
    """The message says which names there are."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``skew``: exponent of the customers' shares, 0 when all have the same; ``head``: ranks that it flattens."""

    name: str
    events: int
    customers: int
    skew: float
    head: int = 0

    @classmethod
    def named(cls, name: str, events: int) -> Scenario:
        """``20k-uniform``, ``1M-tilted``, ``300-skewed``, with any number of customers. Raises ``UnknownScenario``."""
        found = _NAME.fullmatch(name)
        if found is None or not int(found[1]):
            raise UnknownScenario(
                f"{name!r} is no scenario; write customers and {', '.join(SPREADS)}, such as 20k-uniform"
            )
        customers = int(found[1]) * _THOUSANDS[found[2]]
        return cls(name, events, customers, *SPREADS[found[3]])
