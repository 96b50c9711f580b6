"""Finds the customer that an argument names: by id, or by any of their identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from schemas.identifier_types import RANKS
from sinks.sql.answers import Customer

from .bus import Bus
from .output import shown
from .problem import Code, Problem

if TYPE_CHECKING:
    from sinks.sql.reader import Reader

CUSTOMER = "c_"
"""Prefix of every customer id."""


def found(bus: Bus, reader: Reader, who: str) -> Customer:
    """The customer of an id or an identifier. Raises ``Problem`` when there is none."""
    customer = reader.customer(who) if who.startswith(CUSTOMER) else None
    if customer is not None:
        return customer
    from agents.identifiers import Identifiers  # imports telephone numbers of all countries, which an id does not need

    settings = bus.settings
    identifiers = Identifiers(
        settings.key(), settings.phone_region, settings.blocked_identifiers, settings.identifier_types
    )
    for kind, value in _guesses(who, settings.identifier_types):
        hashed = identifiers.hash(kind, value)
        customer = reader.customer_of(f"i/{hashed}") if hashed is not None else None
        if customer is not None:
            return customer
    raise Problem(
        f"No customer is known as {shown(who)}. An identifier must be complete (email:ada@example.com, phone:+44…, "
        f"customer_no:C-1042); `cxbus customer search` finds parts of names.",
        Code.WRONG,
    )


def _guesses(who: str, own: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(type, value) pairs that an identifier may mean: with its prefix ``type:`` first, then as each known type."""
    kind, colon, value = who.partition(":")
    if colon and re.fullmatch("[a-z][a-z0-9_]*", kind):
        yield kind, value
    yield from ((kind, who) for kind in (*RANKS, *own))
