"""The bounds of what is remembered and told of a customer, made so small that small worlds reach them."""

from __future__ import annotations

import random

import pytest

from core import evidence, memory, state

from . import matches, notification, profile


def limit(patch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """Of the core and of the oracle alike; some stay as they are."""
    for theirs, mine, small in (
        ((memory, "MOST_ALERTS"), (notification, "MOST_ALERTS"), chance.randint(0, 4)),
        ((memory, "MOST_OF_A_RULE"), (notification, "MOST_OF_A_RULE"), chance.randint(1, 3)),
        ((evidence, "EVIDENCE_LIMIT"), (matches, "MOST_EVIDENCE"), chance.randint(1, 3)),
        ((evidence, "EVIDENCE_BYTES"), (matches, "MOST_BYTES"), chance.randint(0, 900)),
        ((state, "MOST_IDENTIFIERS"), (profile, "MOST_IDENTIFIERS"), chance.randint(1, 3)),
        ((state, "MOST_SHOWN"), (profile, "MOST_SHOWN"), chance.randint(1, 3)),
    ):
        if chance.random() < 0.7:
            patch.setattr(*theirs, small)
            patch.setattr(*mine, small)
