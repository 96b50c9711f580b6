"""A request to Kafka has the same bytes however it is put together."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.protocol.admin import AlterPartitionReassignmentsRequest_v0
from aiokafka.protocol.fetch import FetchRequest_v4
from aiokafka.protocol.metadata import MetadataRequest_v1
from aiokafka.protocol.produce import ProduceRequest_v8
from aiokafka.protocol.struct import Struct
from hypothesis import given
from hypothesis import strategies as st

from engine.kafka.privates.requests import encoded

BATCHES = st.none() | st.binary(max_size=50) | st.binary(max_size=50).map(bytearray)
TOPICS = st.lists(
    st.tuples(st.text(max_size=3), st.lists(st.tuples(st.integers(0, 9), BATCHES), max_size=3)), max_size=3
)


def usual(request: Struct) -> bytes:
    """As aiokafka does it."""
    return bytes(request.SCHEMA.encode([request.__dict__[name] for name in request.SCHEMA.names]))


@given(st.none() | st.text(max_size=5), TOPICS)
def test_what_is_produced_is_as_usual(transaction: str | None, topics: list[Any]) -> None:
    request = ProduceRequest_v8(transaction, -1, 30_000, topics)
    assert usual(request) == encoded(request)


@pytest.mark.parametrize(
    "request_",
    [
        MetadataRequest_v1(None),
        MetadataRequest_v1(["a", "b"]),
        FetchRequest_v4(-1, 250, 1, 9_000, 1, [("a", [(0, 17, 1_000), (1, 18, 1_000)]), ("b", [])]),
        AlterPartitionReassignmentsRequest_v0(5, [("a", [(0, [1, 2], {}), (1, [], {})], {})], {}),
    ],
    ids=("all topics", "some topics", "a fetch", "compact"),
)
def test_so_are_other_requests(request_: Struct) -> None:
    assert usual(request_) == encoded(request_)


def test_what_does_not_fit_the_form_is_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        encoded(ProduceRequest_v8("t", -1, 30_000, [("topic", [(0, b"batch", "more")])]))
