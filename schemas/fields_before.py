"""Validators that ask the fields before their own, for structs: they are asked when all fields are there.

Such a validator sees no more than it may compare exactly, which is required texts, numbers and words; whoever asks for
anything else has the event declined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

PLAIN = frozenset({"literal", "str", "bool", "int", "float"})
"""Kinds of core schema whose values are the same in a struct."""


class Late(NamedTuple):
    """A field, the function that judges it, and the names that it may ask."""

    name: str
    judge: Callable[[Any, Any], object]
    before: frozenset[str]


class _Before:
    """In place of pydantic's ``ValidationInfo`` and of its ``data``."""

    def __init__(self, said: object, names: frozenset[str]) -> None:
        self._said = said
        self._names = names

    @property
    def data(self) -> _Before:
        return self

    def __getitem__(self, name: str) -> object:
        if name not in self._names:
            raise ValueError("a field that is another value here, or none")
        return getattr(self._said, name)

    def get(self, name: str, _: object = None) -> object:
        """What stands there: what may be asked is required."""
        return self[name]


def asked(late: Iterable[Late]) -> Callable[[object], None]:
    """Return a struct's ``__post_init__``, which raises ValueError for what is to be declined."""
    judges = tuple(late)

    def judge(said: object) -> None:
        for one in judges:
            try:
                one.judge(getattr(said, one.name), _Before(said, one.before))
            except Exception as error:
                raise ValueError("refused, or asked for what is not here") from error

    return judge
