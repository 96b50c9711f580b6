"""The whole bus on a real Kafka, with everything done to it that one machine can do: nothing lost, doubled, invented.

``CXBUS_CHAOS_SEED`` repeats a run's load and faults. The long run (``make chaos``) takes its counts from
``CXBUS_CHAOS_KILLS``, ``_KILLS_OF_TWO``, ``_LOST``, ``_ZOMBIES``, ``_STOPS``, ``_SCALES``, ``_FREEZES``,
``_LONG_FREEZES``, ``_BROKER_KILLS``, ``_LONG_BROKER_KILLS``; ``_EVENTS`` is how many events at least,
``_RATE`` events/s, ``_LONGEST`` seconds between two faults at most.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker

from .bus import Bus
from .run import Outcome, Plan, Run
from .sink_play import Say

BROKEN_SECONDS = 60.0
"""A pause that means broken and not slow. The targets are 30 s after a kill, 15 s after a graceful stop."""
MEMORY = 800
"""MiB of a worker; it takes 120 in a quiet run, and six times the ``customer_cache.BYTES`` of customers that it keeps
decoded. Seen: 260 while it reads much back, 670 in a long run.
"""


def setting(name: str, default: float) -> float:
    """``CXBUS_CHAOS_…``, a number."""
    return float(os.environ.get(f"CXBUS_CHAOS_{name}", default))


SEED = int(setting("SEED", 1))

SHORT = Plan(
    seed=SEED,
    counts={"kill": 18, "kill-two": 1, "lose": 1, "zombie": 1, "scale": 1, "broker-freeze": 1, "broker-kill": 1},
    rate=300,
    longest=4,
)


def long_plan() -> Plan:
    """What ``make chaos`` does."""
    counts = {
        "kill": setting("KILLS", 36),
        "kill-two": setting("KILLS_OF_TWO", 2),
        "lose": setting("LOST", 2),
        "zombie": setting("ZOMBIES", 3),
        "leave": setting("STOPS", 3),
        "scale": setting("SCALES", 5),
        "broker-freeze": setting("FREEZES", 1),
        "broker-freeze-long": setting("LONG_FREEZES", 1),
        "broker-kill": setting("BROKER_KILLS", 1),
        "broker-kill-long": setting("LONG_BROKER_KILLS", 1),
    }
    return Plan(
        SEED,
        {n: int(c) for n, c in counts.items()},
        setting("RATE", 500),
        int(setting("EVENTS", 0)),
        longest=setting("LONGEST", 12),
        patience=7200,
    )


@pytest.mark.kafka
@pytest.mark.slow
def test_nothing_is_lost_doubled_or_invented_whatever_is_killed_or_frozen(tmp_path: Path, say: Say) -> None:
    judged(SHORT, tmp_path, say)


@pytest.mark.kafka
@pytest.mark.chaos
@pytest.mark.slow
def test_nothing_is_lost_doubled_or_invented_in_a_long_run_of_faults(tmp_path: Path, say: Say) -> None:
    judged(long_plan(), tmp_path, say)


def judged(plan: Plan, home: Path, say: Say) -> None:
    """Runs it, prints what was seen, and judges."""
    with EmbeddedBroker(home / "broker") as broker:
        bus = Bus(home, broker, plan.partitions, plan.rate)
        bus.apply_topics()
        run = Run(bus, plan)
        try:
            with bus.processes():
                asyncio.run(run.run())
        except TimeoutError:
            pytest.fail(f"the bus did not come to rest\n{bus.fleet.log()}")
        finally:
            say("\n".join(run.outcome.told))
    outcome = run.outcome
    assert [] == outcome.problems, bus.fleet.log()
    assert [] == outcome.idle
    assert {} == too_long(outcome)
    assert outcome.memory < MEMORY
    if any(count for fault, count in plan.counts.items() if fault.startswith("broker-")):
        assert outcome.refused > 0  # nobody can have said yes while the broker was away


def too_long(outcome: Outcome) -> dict[str, list[float]]:
    """Pauses that mean that something was broken."""
    broken = {
        what: [seconds for seconds in seen if seconds > BROKEN_SECONDS]
        for what, seen in outcome.pauses.items()
        if what != "broker away"
    }
    return {what: seen for what, seen in broken.items() if seen}
