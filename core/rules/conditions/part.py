"""One part of a rule while it is parsed: which conditions there are, and which fields they may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ...timeline.vocabulary import Vocabulary
from ..reading import RuleError
from .condition import Condition


class ConditionKind(Protocol):
    """How a condition is written: its name, and the other fields that go with it."""

    @property
    def written(self) -> str: ...
    @property
    def options(self) -> tuple[str, ...]: ...
    def parse(self, raw: Mapping[str, object], where: str, part: Part) -> Condition:
        """The condition that ``raw`` describes; ``where`` names its place in the file. Raises ``RuleError``."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """``if`` or ``resolves`` of a rule. ``key``: the field of the trigger that tells the rule's alerts apart.

    A ``resolving`` condition is evaluated long after the trigger, so it may name the key but no other field of it.
    """

    vocabulary: Vocabulary
    key: str | None
    resolving: bool
    kinds: Mapping[str, ConditionKind]

    def condition(self, raw: object, where: str) -> Condition:
        """The condition that ``raw`` describes; ``where`` names its place in the file. Raises ``RuleError``."""
        if not isinstance(raw, Mapping) or not raw:
            raise RuleError(f"{where}: a condition is a mapping, like {{open: case}}")
        kind = next((kind for name, kind in self.kinds.items() if name in raw), None)
        if kind is None:
            raise RuleError(
                f"{where}: {', '.join(map(str, raw))} is not a condition; known are {', '.join(self.kinds)}"
            )
        unknown = sorted(set(map(str, raw)) - {kind.written, *kind.options})
        if unknown:
            raise RuleError(f"{where}: {unknown[0]!r} does not go with {kind.written!r}")
        return kind.parse(raw, where, self)
