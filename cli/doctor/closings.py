"""Unmatched closings: events that close a matter which their customer does not have, so that it stays open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

from ..words import count, listed
from .finding import Finding, ok, warning

CHECK = "unmatched closings"
METRIC = "cxbus_unmatched_closings"

Counted = Mapping[tuple[str, str], int]
"""(department, event type) → number of unmatched closings."""


def counted(pages: list[str]) -> Counted | None:
    """The sum over the metrics pages of the workers; None if none of these pages is a worker's."""

    families = [one for page in pages for one in text_string_to_metric_families(page) if one.name == METRIC]
    if not families:
        return None
    found: dict[tuple[str, str], int] = {}
    for sample in (sample for family in families for sample in family.samples):
        of = sample.labels["department"], sample.labels["type"]
        found[of] = found.get(of, 0) + int(sample.value)
    return found


def judge(found: Counted) -> Iterator[Finding]:
    """One finding for each department. Some are harmless: the bus does not know what was opened before its time."""
    if not found:
        yield ok(CHECK, "none since the workers of this machine started")
    for department in sorted({department for department, _ in found}):
        types = {name: number for (of, name), number in sorted(found.items()) if of == department}
        yield warning(
            CHECK,
            f"{count(sum(types.values()), 'event')} of {department} closed no matter of their customer since the "
            f"workers of this machine started: {listed([f'{number} {name}' for name, number in types.items()])}",
            f"Let {department} publish every opening event, and each closing event with the identifiers of its opening "
            "event: a matter that was opened for another customer stays open, and rules act on it. The worker's log "
            "has the origin of one event of each type (`a closing event closes no matter of its customer`).",
        )
