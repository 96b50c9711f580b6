"""The evidence of a match: on which events it rests, and how much of that is told (semantics 1.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .bounds import SIGN_BYTES, VALUE_BYTES, shown, size
from .conditions import EVIDENCE_LIMIT, Found
from .event import rfc3339

EVIDENCE_BYTES = 8 * 1024
"""Of a match's evidence as JSON. What a rule reads of its trigger always fits."""


def evidence(trigger: Found, answer: Iterable[Found]) -> tuple[Found, ...]:
    """The trigger and what the conditions found, each entry once, in timeline order.

    Of what they found the latest ``EVIDENCE_LIMIT``, and of these the latest that fit into ``EVIDENCE_BYTES``.
    """
    merged: dict[str, Found] = {}
    for found in (trigger, *answer):
        known = merged.get(found.entry.uid)
        merged[found.entry.uid] = found if known is None else Found(known.entry, {**known.values, **found.values})
    first = merged.pop(trigger.entry.uid)
    others = sorted(merged.values(), key=_place)[-EVIDENCE_LIMIT:]
    if _bytes_at_most([first, *others]) <= EVIDENCE_BYTES:
        return tuple(sorted([first, *others], key=_place))
    left = EVIDENCE_BYTES - size(told(first))
    kept = [first]
    for found in reversed(others):
        left -= size(told(found))
        if left < 0:
            break
        kept.append(found)
    return tuple(sorted(kept, key=_place))


def told(found: Found) -> Mapping[str, Any]:
    """An entry of the evidence as plain data, as messages and documents have it."""
    entry = found.entry
    return {
        "source": entry.source,
        "id": entry.id,
        "type": entry.type,
        "time": rfc3339(entry.at),
        "values": {name: shown(value) for name, value in found.values.items()},
    }


def _bytes_at_most(evidence: Iterable[Found]) -> int:
    """A quick look at how much there is."""
    return sum(
        SIGN_BYTES * (len(entry.source) + len(entry.id) + len(entry.type)) + 128 + len(values) * 2 * VALUE_BYTES
        for entry, values in evidence
    )


def _place(found: Found) -> tuple[int, str]:
    return found.entry.at, found.entry.uid
