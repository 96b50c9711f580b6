"""A cache of the parts of public profiles as JSON: most events change one part, or none.

A cached part is valid while the objects that it was made of are the very same ones: they are replaced, never changed. A
stale part is never used. Each customer takes some hundred bytes beside the decoded document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_

from msgspec import Struct

from core.customer.customer import Customer
from core.rules.ruleset import RuleSet
from core.timeline.entry import rfc3339

from .kept_json import kept_json


class _Parts(Struct, gc=False):
    """One customer's parts, each after the objects that it was made of."""

    matters: Sequence[object] = ()
    name: str | None = None
    brief: bytes | None = None
    masked_identifiers: Sequence[tuple[str, str]] | None = None
    identifiers: bytes = b""
    contacts: Mapping[str, int] | None = None
    last_contact: bytes = b""


class ProfileParts:
    """The parts by customer id, until ``forget``."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._places = [place for place, _ in rules.matters]
        self._parts: dict[str, _Parts] = {}

    def brief(self, customer: Customer) -> bytes:
        """The customer's name and open matters."""
        parts = self._of(customer)
        derived = customer.derived
        matters: Sequence[object] = (customer.published_matters,)
        if derived is not None:
            states = derived.states
            matters = [states[place] for place in self._places]
        if parts.brief is None or parts.name != customer.name or not _are(matters, parts.matters):
            told, number = customer.open_matters(self._rules)
            said = {"customerId": customer.id, "name": customer.name, "open": told, "openCount": number}
            parts.matters, parts.name, parts.brief = matters, customer.name, kept_json(said)
        return parts.brief

    def identifiers(self, customer: Customer) -> bytes:
        """The customer's masked identifiers."""
        parts = self._of(customer)
        if parts.masked_identifiers is not customer.identifiers:
            parts.masked_identifiers = customer.identifiers
            told = [{"type": kind, "value": shown} for kind, shown in customer.identifiers]
            parts.identifiers = kept_json(told)
        return parts.identifiers

    def last_contact(self, customer: Customer) -> bytes:
        """When each department last contacted the customer."""
        parts = self._of(customer)
        if parts.contacts is not customer.last_contact:
            parts.contacts = customer.last_contact
            told = {name: rfc3339(at) for name, at in sorted(customer.last_contact.items())}
            parts.last_contact = kept_json(told)
        return parts.last_contact

    def forget(self, customer: str) -> None:
        """Drops the customer's parts."""
        self._parts.pop(customer, None)

    def clear(self) -> None:
        """Drops all parts."""
        self._parts.clear()

    def _of(self, customer: Customer) -> _Parts:
        parts = self._parts.get(customer.id)
        if parts is None:
            parts = self._parts[customer.id] = _Parts()
        return parts


def _are(these: Sequence[object], those: Sequence[object]) -> bool:
    """Whether both hold the very same objects."""
    return len(these) == len(those) and all(map(is_, these, those))
