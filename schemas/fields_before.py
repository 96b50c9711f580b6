"""Validators that read fields declared before their own, adapted to structs: there they run once all fields are set.

Such a validator may only read fields whose values it can compare exactly: required texts, numbers and literals. If it
reads any other, the event is declined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

PLAIN = frozenset({"literal", "str", "bool", "int", "float"})
"""Kinds of core schema whose values are the same in a struct."""


class Late(NamedTuple):
    """A field, the function that validates it, and the names of the fields that the function may read."""

    name: str
    judge: Callable[[Any, Any], object]
    before: frozenset[str]


class _Before:
    """Stands in for pydantic's ``ValidationInfo`` and for its ``data``."""

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
        """The field's value; there is one, because a field that may be read is required."""
        return self[name]


def asked(late: Iterable[Late]) -> Callable[[object], None]:
    """Return a struct's ``__post_init__``, which raises ValueError for an event that is to be declined."""
    judges = tuple(late)

    def judge(said: object) -> None:
        for one in judges:
            try:
                one.judge(getattr(said, one.name), _Before(said, one.before))
            except Exception as error:
                raise ValueError("refused, or asked for what is not here") from error

    return judge
