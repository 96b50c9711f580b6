"""All kinds of conditions."""

from __future__ import annotations

from collections.abc import Mapping

from .closed import Closed
from .field import Field
from .groups import All, AnyOf, NoneOf
from .open import Open
from .overdue import Overdue
from .part import ConditionKind
from .seen import Seen
from .unanswered import UnansweredContacts

_ALL: tuple[ConditionKind, ...] = (All, AnyOf, NoneOf, Field, Open, Closed, Overdue, Seen, UnansweredContacts)

KINDS: Mapping[str, ConditionKind] = {kind.written: kind for kind in _ALL}
"""The kinds by the names under which rules write them."""
