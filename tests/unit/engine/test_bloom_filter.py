"""A filter that never denies what was added."""

from __future__ import annotations

import hashlib

from engine.store.bloom_filter import FIRST_WORDS, GROWTH, KEYS_A_WORD, BloomFilter


def key(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()[:16]


def test_what_was_added_may_be_there_and_hardly_anything_else_however_much_it_is() -> None:
    known, number = BloomFilter(), KEYS_A_WORD * FIRST_WORDS * (1 + GROWTH // 2)
    assert not known.may_hold(key(0))
    known.add([key(0)])
    known.add(key(one) for one in range(1, number))
    assert all(known.may_hold(key(one)) for one in range(number))
    wrong = sum(known.may_hold(key(one)) for one in range(number, number + 20_000))
    assert wrong < 20_000 * 0.06, "of two layers"
