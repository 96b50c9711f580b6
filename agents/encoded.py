"""What of one customer's profile is JSON already: most of it is the same as when it was written last.

Values of the core are replaced and never changed: the same object is the same text. In memory only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_

import orjson

from core.customer import Customer, told
from core.event import rfc3339
from core.matters import Matter, MattersOf
from core.ruleset import RuleSet


class Encoded:
    """Of one customer: with each text the value that it was made of."""

    __slots__ = ("_contact", "_identifiers", "_matters", "_number", "_open", "_states")

    def __init__(self) -> None:
        self._identifiers: tuple[object, orjson.Fragment] = None, _NOTHING
        self._contact: tuple[object, orjson.Fragment] = None, _NOTHING
        self._states: list[object] = []
        self._open, self._number = _NOTHING, 0
        self._matters: dict[tuple[str, str], tuple[Matter, orjson.Fragment]] = {}

    def identifiers(self, identifiers: Sequence[tuple[str, str]]) -> orjson.Fragment:
        """The masked identifiers by type and value."""
        if self._identifiers[0] is not identifiers:
            shown = [{"type": kind, "value": value} for kind, value in identifiers]
            self._identifiers = identifiers, _json(shown)
        return self._identifiers[1]

    def last_contact(self, last: Mapping[str, int]) -> orjson.Fragment:
        """When each department contacted the customer last; ``last`` in µs."""
        if self._contact[0] is not last:
            self._contact = last, _json({name: rfc3339(at) for name, at in sorted(last.items())})
        return self._contact[1]

    def open_matters(self, customer: Customer, rules: RuleSet) -> tuple[object, int]:
        """What people are told of open matters, and how many there are."""
        if customer.derived is None:
            return customer.shown
        derived = customer.derived.states
        states = [derived[place] for place, _ in rules.matters]
        if len(states) != len(self._states) or not all(map(is_, states, self._states)):
            known, self._matters = self._matters, {}

            def tell(feature: MattersOf, name: str, matter: Matter) -> orjson.Fragment:
                held = known.get((feature.entity, name))
                if held is None or held[0] is not matter:
                    held = matter, _json(told(feature, name, matter))
                self._matters[feature.entity, name] = held
                return held[1]

            matters, self._number = customer.open_matters(rules, tell)
            self._states, self._open = states, _json(matters)
        return self._open, self._number


def _json(value: object) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(value))


_NOTHING = orjson.Fragment(b"null")
