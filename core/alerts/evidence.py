"""The evidence of a match: the events on which it rests, and how much of them a message carries (semantics 1.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..bounds import SIGN_BYTES, VALUE_BYTES, shown, size
from ..rules.conditions.condition import DEPARTMENT, EVIDENCE_LIMIT, MATTER, Evidence
from ..timeline.entry import Entry, rfc3339
from ..timeline.features import Ref
from ..timeline.vocabulary import EventType

EVIDENCE_BYTES = 8 * 1024
"""Largest size of a match's evidence as JSON. What a rule reads of its trigger always fits."""


def select_evidence(trigger: Ref, answer: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """What the conditions found, in timeline order: in the trigger, and in the latest ``EVIDENCE_LIMIT`` others."""
    found = dict.fromkeys(answer)
    others = sorted({one.entry for one in found if one.entry != trigger})
    kept = {trigger, *others[max(0, len(others) - EVIDENCE_LIMIT) :]}
    return tuple(sorted([one for one in found if one.entry in kept], key=_place))


def values_of(found: Evidence, entry: Entry, kind: EventType) -> dict[str, object]:
    """The values in the entry that made a condition true."""
    values: dict[str, object] = dict(found.where)
    if found.names == MATTER and kind.entity is not None:
        return {kind.entity.id_field: entry.data.get(kind.entity.id_field), **values}
    return {"department": kind.department, **values} if found.names == DEPARTMENT else values


EvidenceEntry = tuple[Entry, Mapping[str, object]]
"""An entry, and those of its values that the message carries."""


def evidence_data(trigger: Ref, values: Mapping[Ref, EvidenceEntry]) -> tuple[Mapping[str, object], ...]:
    """The evidence as plain data, in timeline order: the trigger, and the latest of the other entries that fit into
    ``EVIDENCE_BYTES`` together with it.
    """
    if sum([_bytes_at_most(*one) for one in values.values()]) <= EVIDENCE_BYTES:
        return tuple([_plain(*values[one]) for one in sorted(values)])
    first = _plain(*values[trigger])
    left, kept = EVIDENCE_BYTES - size(first), {trigger: first}
    for other in sorted(values.keys() - {trigger}, reverse=True):
        plain = _plain(*values[other])
        left -= size(plain)
        if left < 0:
            break
        kept[other] = plain
    return tuple([kept[one] for one in sorted(kept)])


def _bytes_at_most(entry: Entry, values: Mapping[str, object]) -> int:
    """An upper bound of what an entry takes as JSON, in bytes; cheap to compute."""
    return SIGN_BYTES * (len(entry.source) + len(entry.id) + len(entry.type)) + 128 + len(values) * 2 * VALUE_BYTES


def _plain(entry: Entry, values: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "source": entry.source,
        "id": entry.id,
        "type": entry.type,
        "time": rfc3339(entry.at),
        "values": {name: shown(value) for name, value in values.items()},
    }


def _place(found: Evidence) -> Ref:
    return found.entry
