"""The bounds of what is remembered and told of a customer, made so small that small worlds reach them."""

from __future__ import annotations

import random

import pytest

from agents import documents, snapshots
from agents import journey as agent
from core.alerts import evidence
from core.alerts import suppression as memory
from core.customer import customer

from . import matches, notification, profile


def limit(patch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """What is remembered and told: of the core and of the oracle alike; some stay as they are."""
    for theirs, mine, small in (
        ((memory, "MOST_ALERTS"), (notification, "MOST_ALERTS"), chance.randint(0, 4)),
        ((memory, "MOST_OF_A_RULE"), (notification, "MOST_OF_A_RULE"), chance.randint(1, 3)),
        ((evidence, "EVIDENCE_LIMIT"), (matches, "MOST_EVIDENCE"), chance.randint(1, 3)),
        ((evidence, "EVIDENCE_BYTES"), (matches, "MOST_BYTES"), chance.randint(0, 900)),
        ((customer, "MOST_IDENTIFIERS"), (profile, "MOST_IDENTIFIERS"), chance.randint(1, 3)),
        ((customer, "MOST_SHOWN"), (profile, "MOST_SHOWN"), chance.randint(1, 3)),
    ):
        if chance.random() < 0.7:
            patch.setattr(*theirs, small)
            patch.setattr(*mine, small)


def forget(patch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """What is kept at hand, and shows nowhere, not in a byte: decoded customers, and states that were passed."""
    for where, name, small in (
        (agent, "BYTES", chance.choice([0, 5_000])),
        (snapshots, "MOST", chance.choice([1, 2, 3])),
        (snapshots, "SPREAD", chance.choice([1, 3, 1_000_000])),
    ):
        if chance.random() < 0.6:
            patch.setattr(where, name, small)


def leave_out(patch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """What a document is written without, so that it must be folded again: which changes no answer."""
    if chance.random() < 0.6:
        patch.setattr(documents, "STATE_BYTES", chance.choice([0, 100, 500]))
