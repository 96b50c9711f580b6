"""How many worlds were compared, and how many journal records in them, by kind: told at the end of a run."""

from __future__ import annotations

from collections import Counter

COMPARED: Counter[str] = Counter()
"""Of this process."""


def compared(kind: str, records: int = 0) -> None:
    """One more world of this kind, in which so many records were taken in, without a difference."""
    COMPARED[kind] += 1
    COMPARED["records"] += records


def words(total: Counter[str]) -> str:
    """For people."""
    worlds = {kind: number for kind, number in sorted(total.items()) if kind != "records"}
    told = ", ".join(f"{number:,} {kind}" for kind, number in worlds.items())
    return f"the oracle agreed on {sum(worlds.values()):,} histories ({told}), {total['records']:,} records"
