"""What conditions on matters share: which cases, invoices or opportunities they mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import ClassVar, Self, cast

from ...timeline.features import Feature, Where
from ...timeline.matters import CASE, FIELDS, INVOICE, OPPORTUNITY, Matter, Matters, MattersOf
from ..reading import RuleError, pairs
from .condition import Condition, FeatureIndex, Now
from .part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMatters(Condition):
    """A condition on matters of one kind whose latest opening has the values ``where``. ``same``: the field of the
    trigger that names the matter.

    ``place``, ``feature``: where the matters are kept, and by which feature. ``asked``: the positions of the fields of
    ``where`` in a matter's facts. ``said`` picks these facts; ``expected``: what they must equal.
    """

    written: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ("same",)
    entities: ClassVar[tuple[str, ...]] = (CASE, INVOICE, OPPORTUNITY)
    is_open: ClassVar[bool] = True

    entity: str
    where: Where = ()
    same: str | None = None
    same_is_key: bool = False
    place: int = -1
    feature: MattersOf | None = None
    asked: tuple[int, ...] = ()
    said: Callable[[tuple[object, ...]], object] | None = field(init=False, repr=False, compare=False)
    expected: object = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = tuple([value for _, value in self.where])
        object.__setattr__(self, "said", itemgetter(*self.asked) if self.asked else None)
        object.__setattr__(self, "expected", values[0] if len(values) == 1 else values)

    @classmethod
    def parse(cls, raw: Mapping[str, object], where: str, part: Part) -> Self:
        """The condition that ``raw`` describes: a kind of matter, maybe with values of its latest opening. Raises
        ``RuleError``.
        """
        value, at = raw[cls.written], f"{where}.{cls.written}"
        entity, said = next(iter(value.items())) if isinstance(value, Mapping) and value else (value, None)
        if entity not in cls.entities:
            raise RuleError(f"{at}: {entity!r} is not a matter that can be {cls.written}")
        same = None if raw.get("same") is None else str(raw["same"])
        if part.resolving and same is not None and same != part.key:
            raise RuleError(f"{where}.same: what resolves an alert can only name its key ({part.key})")
        is_key = same is not None and same == part.key
        read = cls(entity=entity, where=pairs(said, f"{at}.{entity}"), same=same, same_is_key=is_key)
        return read.with_options(raw, where)

    def with_options(self, raw: Mapping[str, object], where: str) -> Self:
        """This condition with the options that its kind has beside ``same``. Raises ``RuleError``."""
        return self

    def _meant(self, now: Now) -> Collection[Matter]:
        """The matters that are open or closed as required and have the values ``where``."""
        matters = cast(Matters, now.derived.states[self.place])
        wanted = None if self.same is None else now.key if self.same_is_key else now.data.get(self.same)
        if wanted is None:
            chosen: Collection[Matter] = (matters.open if self.is_open else matters.closed).values()
        else:
            chosen = self._named(str(wanted), matters, now)
        said, expected = self.said, self.expected
        if said is None or not chosen:
            return chosen
        # a matter that nobody has opened yet has no facts
        return [one for one in chosen if one.facts and said(one.facts) == expected]

    def _named(self, wanted: str, matters: Matters, now: Now) -> Collection[Matter]:
        matter = matters.get(wanted) or self._recalled(wanted, now)
        return () if matter is None or matter.open is not self.is_open else (matter,)

    def _recalled(self, wanted: str, now: Now) -> Matter | None:
        """The matter with that id, if the condition may mean it although the state no longer holds it."""
        return None

    def _horizon(self) -> int:
        return 0

    def features(self) -> Iterable[Feature]:
        fields = tuple(sorted({*FIELDS[self.entity], *(name for name, _ in self.where)}))
        return (MattersOf(self.entity, self._horizon(), fields),)

    def bound(self, kept: FeatureIndex) -> Condition:
        (own,) = self.features()
        feature = kept.feature(own)
        assert isinstance(feature, MattersOf)
        asked = tuple(feature.fields.index(name) for name, _ in self.where)
        return replace(self, place=kept.place(own), feature=feature, asked=asked)

    def fields(self) -> frozenset[str]:
        return frozenset({self.same}) if self.same else frozenset()
