"""Outputs are packed into batches in their order, completely, and none too large."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kafka.errors import Fatal, RecordTooLarge
from engine.kafka.limits import Limits
from engine.kafka.mark import MARK
from engine.transactional.transaction import Output, new_producer, pack

KEYS = st.none() | st.binary(max_size=20)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=20)), max_size=2).map(tuple)
VALUES = st.none() | st.integers(0, 250).map(lambda size: b"v" * size)
OUTPUTS = st.lists(st.builds(Output, st.just("t"), st.just(0), KEYS, VALUES, HEADERS), max_size=60)


def packed(outputs: Sequence[Output], limits: Limits) -> list[bytes]:
    """The batches' bytes as they would go to a broker; nothing connects."""

    async def build() -> list[bytes]:
        producer = new_producer("127.0.0.1:1", "packing", limits)
        try:
            return [bytes(batch._build()) for batch in pack(producer, outputs, limits.batch_bytes)]
        finally:
            await producer.stop()

    return asyncio.run(build())


def marked(output: Output) -> Output:
    """As it is read back."""
    headers = output.headers if MARK in output.headers or not output.marked else (*output.headers, MARK)
    return msgspec.structs.replace(output, headers=headers, marked=True)


def unpacked(batches: Sequence[bytes]) -> list[Output]:
    found = []
    for data in batches:
        records = MemoryRecords(data)
        while records.has_next():
            found += [Output("t", 0, one.key, one.value, tuple(one.headers)) for one in records.next_batch()]
    return found


@settings(deadline=None, max_examples=50)
@given(OUTPUTS, st.sampled_from([700, 1_500, 9_000]), st.sampled_from([None, "snappy"]))
def test_packing_keeps_every_record_and_the_order(
    outputs: list[Output], batch_bytes: int, compression: str | None
) -> None:
    limits = Limits(batch_bytes=batch_bytes, compression=compression)
    assert [marked(one) for one in outputs] == unpacked(packed(outputs, limits))


def test_no_batch_exceeds_the_limit_and_a_full_one_drops_nothing() -> None:
    outputs = [Output("t", 0, b"k" * 10, b"v" * size) for size in range(0, 3_000, 7)]
    limits = Limits(batch_bytes=4_000)
    batches = packed(outputs, limits)
    assert len(batches) > 1
    assert all(len(batch) <= limits.batch_bytes for batch in batches)
    assert [marked(one) for one in outputs] == unpacked(batches)


def test_only_the_buss_own_records_are_marked_and_only_once() -> None:
    outputs = [
        Output("t", 0, b"tombstone", None),
        Output("t", 0, b"sent on", b"", (("kind", b"event"), MARK)),
        Output("t", 0, b"a letter", b"", (("v", b"theirs"),), marked=False),
    ]
    wanted = [(MARK,), (("kind", b"event"), MARK), (("v", b"theirs"),)]
    assert wanted == [one.headers for one in unpacked(packed(outputs, Limits()))]


def test_a_record_too_large_for_an_empty_batch_is_named_without_its_content() -> None:
    too_large = Output("cx.profiles.v1", 0, b"customer", b"secret" * 1_000)
    with pytest.raises(RecordTooLarge) as caught:
        packed([Output("cx.profiles.v1", 0, b"k", b"v"), too_large], Limits(batch_bytes=4_000))
    assert isinstance(caught.value, Fatal)
    assert "record for cx.profiles.v1 is too large: key 8 bytes, value 6000 bytes, limit 4000 bytes" == str(
        caught.value
    )


def test_nothing_to_write_makes_no_batch() -> None:
    assert [] == packed([], Limits())
