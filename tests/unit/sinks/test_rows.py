"""From a record to a row."""

from __future__ import annotations

import json

import pytest

from sinks.base import TopicKind
from sinks.sql.rows import Upsert, read

from .messages import TOPICS, Logs, entry

ODD = (
    '{"ref":12345678901234567890123, "price":1.10,"a":1,"a":2,"text":"\\u00e9\\u0000","big":1E2}',
    '{ }',
    '{"data":{"data":[1.0]},"event":{}}',
)  # fmt: skip


@pytest.mark.parametrize("sent", ODD)
def test_the_data_of_an_event_is_kept_byte_for_byte(sent: str) -> None:
    value = json.dumps(entry(event=entry()["data"]["event"] | {"data": {"@": 0}})).replace('{"@": 0}', sent)
    found = read(TopicKind.TIMELINE, Logs().append(TOPICS.timeline, "c_1/u1", value.encode()))
    assert isinstance(found, Upsert)
    assert sent == found.row["data"]
