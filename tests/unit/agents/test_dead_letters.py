"""A letter keeps what came, as far as the dead letters' topic takes it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dead_letters import CUT_HEADER_BYTES, CUT_HEADERS, CUT_KEY, CUT_VALUE, ERRORS, WHOLE, dead_letter, size
from agents.intake import BATCH_BYTES
from engine.transactional.transaction import Output, _size
from schemas.dead_letter import error_headers
from schemas.journal import Header, Origin
from schemas.refusal import Reason, Refusal

ORIGIN = Origin("cx.web.events.v1", 3, 41)
DEAD = Refusal(Reason.TOO_LARGE, "the event is too large.")


def dead(
    value: bytes | None, key: bytes | None = None, headers: tuple[Header, ...] = (), last: int | None = None
) -> Output:
    return dead_letter(key, value, headers, "intake", ORIGIN, DEAD, last)


def test_what_fits_stays_as_it_came() -> None:
    mine = (("x-team", b"web"), ("x-team", b"again"))
    value = b"v" * (WHOLE - size(b"key", b"", mine))
    kept = dead(value, b"key", mine)
    assert (b"key", value, mine) == (kept.key, kept.value, kept.headers[:2])
    assert "cut" not in error_headers(kept.headers)


@pytest.mark.parametrize("size_of_value", [WHOLE + 1, 2_000_000, 50_000_000])
def test_of_a_larger_one_the_beginning_is_kept_and_the_rest_is_told(size_of_value: int) -> None:
    value = b"0" * size_of_value
    kept = dead(value, b"k" * 10_000)
    said = error_headers(kept.headers)
    assert (b"k" * CUT_KEY, value[:CUT_VALUE]) == (kept.key, kept.value)
    assert (b"1", b"10000", b"%d" % size_of_value) == (said["cut"], said["key-bytes"], said["value-bytes"])
    assert hashlib.sha256(value).hexdigest().encode() == said["value-sha256"]
    assert (b"cx.web.events.v1", b"3", b"41") == (said["topic"], said["partition"], said["offset"])
    assert b"0" == said["headers"]


def test_many_and_large_headers_are_cut_with_their_names() -> None:
    kept = dead(b"small", None, tuple((f"{n}" + "ä" * 50_000, b"x" * 50_000) for n in range(10_000)))
    said, mine = error_headers(kept.headers), [header for header in kept.headers if not header[0].startswith(ERRORS)]
    assert (None, b"small", b"10000", CUT_HEADERS) == (kept.key, kept.value, said["headers"], len(mine))
    assert all(len(name.encode()) + len(value) <= CUT_HEADER_BYTES for name, value in mine)
    assert "0ä" == mine[0][0][:2]


def test_ten_thousand_small_headers_are_kept() -> None:
    mine = tuple((f"x-{n}", b"") for n in range(10_000))
    assert mine == dead(b"small", None, mine).headers[:10_000]


def test_a_letter_about_a_range_names_its_last_record_and_one_about_a_tombstone_has_no_value() -> None:
    said = error_headers(dead(None, None, (), last=99).headers)
    assert (b"41", b"99") == (said["offset"], said["last-offset"])
    assert "last-offset" not in error_headers(dead(None).headers)


def test_what_a_department_wrote_into_such_headers_is_not_what_the_bus_says() -> None:
    forged = ((ERRORS + "stage", b"theirs"), (ERRORS + "cut", b"1"), (ERRORS + "last-offset", b"7"))
    assert {"stage", "topic", "partition", "offset", "exception", "message"} == error_headers(
        dead(b"{", None, forged).headers
    ).keys()


def test_a_long_sentence_is_cut() -> None:
    made = dead_letter(None, b"", (), "intake", ORIGIN, Refusal(Reason.INVALID_DATA, "ä" * 100_000))
    assert 2_000 == len(error_headers(made.headers)["message"])


@settings(max_examples=50, deadline=None)
@given(
    key=st.sampled_from([None, 0, 1_000, 5_000, WHOLE]),
    value=st.sampled_from([None, 0, 300_000, WHOLE - 10_000, WHOLE, 3_000_000]),
    headers=st.sampled_from([0, 1, 64, 10_000, 100_000]),
    name=st.sampled_from(["", "x", "ä" * 200, "n" * 40_000]),
    held=st.sampled_from([0, 10, 2_000]),
)
def test_every_letter_fits_into_an_empty_batch(
    key: int | None, value: int | None, headers: int, name: str, held: int
) -> None:
    made = dead(
        None if value is None else b"v" * value,
        None if key is None else b"k" * key,
        ((name, b"h" * held),) * headers,
    )
    assert _size(made) <= BATCH_BYTES
