"""``unanswered``: the customer did not answer, ``{unanswered: contact, at_least: 3, within: 24h}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

from ...timeline.entry import FOREVER
from ...timeline.features import Contacts, Feature, Unanswered
from ...timeline.streams import CONTACT
from ..reading import RuleError, duration
from .condition import DEPARTMENT, EVIDENCE_LIMIT, Answer, Condition, Evidence, FeatureIndex, Now
from .part import Part


@dataclass(frozen=True, slots=True)
class UnansweredContacts(Condition):
    """At least ``at_least`` contacts in the window ``within`` (µs) are unanswered: no outcome ``answered``, and the
    customer did not engage since.
    """

    written: ClassVar[str] = "unanswered"
    options: ClassVar[tuple[str, ...]] = ("at_least", "within")

    at_least: int
    within: int
    place: int = -1

    @classmethod
    def parse(cls, raw: Mapping[str, object], where: str, part: Part) -> Self:
        """The condition that ``raw`` describes. Raises ``RuleError``."""
        at_least = raw.get("at_least")
        if raw[cls.written] != CONTACT or not isinstance(at_least, int) or "within" not in raw:
            raise RuleError(f"{where}.unanswered: is written {{unanswered: contact, at_least: 3, within: 24h}}")
        return cls(at_least, duration(raw["within"], f"{where}.within"))

    def holds(self, now: Now) -> Answer:
        contacts = cast(Contacts, now.derived.states[self.place]).unanswered
        least, after = self.at_least, now.t - self.within
        if least > 0 and (len(contacts) < least or contacts[-least].at <= after):
            return None
        return tuple([Evidence(one, (), DEPARTMENT) for one in contacts[-EVIDENCE_LIMIT:] if one.at > after])

    def changes(self, now: Now) -> int:
        contacts = cast(Contacts, now.derived.states[self.place])
        if not 0 < self.at_least <= len(contacts.unanswered):
            return FOREVER
        leaves = contacts.unanswered[-self.at_least].at + self.within
        return leaves if leaves > now.t else FOREVER

    def features(self) -> Iterable[Feature]:
        return (Unanswered(self.within),)

    def bound(self, kept: FeatureIndex) -> Condition:
        (own,) = self.features()
        return replace(self, place=kept.place(own))
