"""``seen``: an event happened, ``{seen: contact, where: {channel: phone}, within: 24h}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

from ...timeline.entry import FOREVER
from ...timeline.features import Feature, Latest, Ref, Where
from ..reading import RuleError, duration, names, pairs, stream
from .condition import Answer, Condition, Evidence, FeatureIndex, Now
from .part import Part


@dataclass(frozen=True, slots=True)
class Seen(Condition):
    """An event of these streams happened: in the window ``within`` (µs) before, or, if 0, since the match fired."""

    written: ClassVar[str] = "seen"
    options: ClassVar[tuple[str, ...]] = ("within", "where")

    streams: tuple[str, ...]
    where: Where = ()
    within: int = 0
    place: int = -1

    @classmethod
    def parse(cls, raw: Mapping[str, object], where: str, part: Part) -> Self:
        """The condition that ``raw`` describes. Raises ``RuleError``."""
        at = f"{where}.{cls.written}"
        streams = tuple(stream(one, part.vocabulary, at) for one in names(raw[cls.written], at))
        within = duration(raw["within"], f"{where}.within") if "within" in raw else 0
        if not within and not part.resolving:
            raise RuleError(f"{at}: needs 'within', as in within: 48h")
        return cls(streams, pairs(raw.get("where"), f"{where}.where"), within)

    def holds(self, now: Now) -> Answer:
        latest = cast(Ref | None, now.derived.states[self.place])
        after = now.t - self.within if self.within else now.fired
        return None if latest is None or latest.at <= after else (Evidence(latest, self.where),)

    def changes(self, now: Now) -> int:
        latest = cast(Ref | None, now.derived.states[self.place])
        if latest is None or not self.within or latest.at + self.within <= now.t:
            return FOREVER
        return latest.at + self.within

    def features(self) -> Iterable[Feature]:
        return (Latest(self.streams, self.where),)

    def since_fired(self) -> bool:
        return not self.within

    def bound(self, kept: FeatureIndex) -> Condition:
        (own,) = self.features()
        return replace(self, place=kept.place(own))
