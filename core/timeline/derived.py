"""The state of a customer after an instant: a state of each feature."""

from __future__ import annotations

from msgspec import Struct

States = tuple[object, ...]
"""A state of each feature, in the order of the rule set."""


class Derived(Struct, frozen=True, gc=False, array_like=True):
    """The state of a customer as of ``at`` (µs): a function of the entries up to then."""

    at: int
    states: States
