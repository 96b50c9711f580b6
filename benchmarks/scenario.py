"""What is measured: how many events, of how many customers, and how unevenly they come."""

from __future__ import annotations

import re
from dataclasses import dataclass

ZIPF = 1.0
"""Exponent of the skewed scenarios: the customer of rank r has a share that falls as 1/r."""

_NAME = re.compile(r"(\d+)([kM]?)-(uniform|skewed)")
_THOUSANDS = {"": 1, "k": 1_000, "M": 1_000_000}


class UnknownScenario(Exception):
    """The message says which names there are."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``skew``: exponent of the customers' shares, 0 when all have the same."""

    name: str
    events: int
    customers: int
    skew: float

    @classmethod
    def named(cls, name: str, events: int) -> Scenario:
        """``20k-uniform``, ``1M-skewed``, or any other number of customers. Raises ``UnknownScenario``."""
        found = _NAME.fullmatch(name)
        if found is None or not int(found[1]):
            raise UnknownScenario(
                f"{name!r} is no scenario; write customers and spread, such as 20k-uniform, 1M-skewed"
            )
        customers = int(found[1]) * _THOUSANDS[found[2]]
        return cls(name, events, customers, ZIPF if found[3] == "skewed" else 0.0)
