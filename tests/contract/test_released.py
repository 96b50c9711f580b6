"""A released contract never changes incompatibly."""

from __future__ import annotations

from pathlib import Path

from schemas.export import RELEASED, documents, incompatibilities, read, write
from schemas.registry import Registry

CURRENT = documents(Registry.discover())


def test_nothing_that_was_released_is_broken() -> None:
    assert [] == incompatibilities(read(RELEASED), CURRENT)


def test_everything_that_there_is_has_been_released_as_it_is(tmp_path: Path) -> None:
    """After a compatible change: export into ``schemas/released`` and commit it with the change."""
    write(tmp_path, CURRENT)
    exported = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert exported == {path.name: path.read_bytes() for path in RELEASED.iterdir()}
