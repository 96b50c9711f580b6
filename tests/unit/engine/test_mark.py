"""Whose a record is, by its headers."""

from __future__ import annotations

import pytest

from engine.kafka.errors import Permanent
from engine.kafka.mark import MARK, Newer, is_ours
from engine.kafka.record import Record
from engine.kafka.sieve import Sieve


def at(offset: int, *headers: tuple[str, bytes]) -> Record:
    return Record("cx.journal.v1", 3, offset, 0, b"k", b"{}", headers)


@pytest.mark.parametrize("headers", [(MARK,), (("kind", b"event"), MARK), (MARK, ("v", b"junk")), (MARK, MARK)])
def test_what_bears_the_mark_is_the_buss_own(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert is_ours(at(0, *headers))


@pytest.mark.parametrize("value", [None, b"", b"0", b"-1", b"01", b"one", b"1 ", b"2.0", b"9" * 5_000, b"\xff"])
def test_what_has_another_value_there_or_none_is_foreign(value: bytes) -> None:
    assert not is_ours(at(0, ("v", value)))
    assert not is_ours(at(0, ("V", b"1"), ("version", b"1")))
    assert not is_ours(at(0))


def test_a_later_version_is_told_with_its_place() -> None:
    with pytest.raises(Newer, match=r"the record cx\.journal\.v1/3/17 was written by version 12") as raised:
        is_ours(at(17, ("v", b"12")))
    assert isinstance(raised.value, Permanent)


def test_a_sieve_begins_anew_each_time() -> None:
    sieve = Sieve([at(0, MARK), at(1), at(2, MARK), at(3, ("v", b"x"))])
    for _ in range(2):
        assert [0, 2] == [record.offset for record in sieve]
        assert [1, 3] == [record.offset for record in sieve.foreign]
