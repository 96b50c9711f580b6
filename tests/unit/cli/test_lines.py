"""A record as one line: there is one whatever stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli.bus import Bus
from cli.given import Given
from cli.lines import alert_line, dead_line, event_line, message_id, plain, profile_line, timeline_line
from cli.names import Names
from engine.kafka.record import Record
from tests.unit.cli.shop import ADA, OLD_ADA, database

HELD = {"customer": {"name": "Ada", "identifiers": []}, "caseId": "K1"}
EVENT = {"id": "1", "source": "/desk", "type": "service.case.opened.v1", "time": "2026-03-02T09:00:00Z", "data": HELD}


def record(value: Any, *headers: tuple[str, bytes]) -> Record:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return Record("cx.t.v1", 0, 5, 1_772_442_000_000, b"c_1", raw, headers)


def test_an_entry_tells_when_who_and_what() -> None:
    data = {"customerId": "c_1", "department": "service", "event": EVENT, "late": True, "moved": False}
    expected = "2026-03-02 09:00:00Z  service    Ada (c_1)  case opened: caseId K1 (late)"
    assert expected == timeline_line(record({"data": data}))


def test_an_entry_without_a_name_tells_the_one_that_is_known(tmp_path: Path) -> None:
    data_dir = database(tmp_path)
    nameless = {**EVENT, "data": {**HELD, "customer": {"identifiers": []}}}

    def line(customer_id: str, event: Mapping[str, Any]) -> str:
        said = {"customerId": customer_id, "department": "service", "event": event, "late": False, "moved": False}
        return timeline_line(record({"data": said}), names)

    with closing(Names(Bus(Given(data_dir=data_dir)))) as names:
        assert "Ada Lovelace (c_ada)" in line(ADA, nameless)
        assert "Ada Lovelace (c_oldada)" in line(OLD_ADA, nameless)
        assert "? (c_new)" in line("c_new", nameless)
        assert "Ada (c_new)" in line("c_new", EVENT)
        assert "Ada (c_new)" in line("c_new", nameless)


def test_where_no_database_is_names_are_those_that_were_said(tmp_path: Path) -> None:
    with closing(Names(Bus(Given(data_dir=tmp_path)))) as names:
        assert names.of("c_1") is None
        names.learn("c_1", "Ada")
        assert "Ada" == names.of("c_1")


def test_an_entry_that_was_moved_away_is_told() -> None:
    assert "entry moved or removed: c_1" in timeline_line(record(None))


def test_an_alert_tells_whom_and_why() -> None:
    data = {
        "alertId": "a_1",
        "state": "fired",
        "rule": "upsell-moment",
        "severity": "info",
        "customerId": "c_1",
        "customer": {"name": "Ben"},
        "departments": ["sales"],
        "time": "2026-03-02T09:00:00Z",
        "reason": "He rated us 5.",
    }
    expected = "2026-03-02 09:00:00Z  · fired upsell-moment  Ben → sales: He rated us 5.  a_1"
    assert expected == alert_line(record({"id": "m1", "data": data}))


def test_a_profile_tells_what_is_open_and_who_became_whom() -> None:
    open_ = [{"entity": "case", "id": "K1"}]
    data = {"customerId": "c_1", "name": "Ada", "entries": 3, "identifiers": [], "open": open_, "standing": ["upsell"]}
    line = profile_line(record({"data": data}))
    assert line.endswith("Ada (c_1)  3 entries; ; open: case K1; alerts: upsell")
    assert profile_line(record({"data": {"customerId": "c_2", "mergedInto": "c_1"}})).endswith("c_2  is now c_1")
    assert profile_line(record(None)).endswith("c_1  removed")


def test_a_departments_event_is_told_in_both_content_modes() -> None:
    expected = "2026-03-02 09:00:00Z  Ada  case opened: caseId K1  (/desk 1)"
    binary = [(f"ce_{name}", str(text).encode()) for name, text in EVENT.items() if name != "data"]
    assert expected == event_line(record(EVENT))
    assert expected == event_line(record(HELD, *binary))


def test_a_dead_letter_tells_its_origin_and_reason() -> None:
    told = {"topic": "cx.sales.events.v1", "partition": "0", "offset": "7", "exception": "not-json", "message": "Oops."}
    headers = [(f"__cxbus.errors.{name}", text.encode()) for name, text in told.items()]
    assert "2026-03-02 09:00:00Z  5  not-json  cx.sales.events.v1/0/7: Oops." == dead_line(record(b"{", *headers))


@pytest.mark.parametrize("line", [alert_line, dead_line, event_line, profile_line, timeline_line])
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b"null",
        b"[]",
        b'"text"',
        b'{"data": 7}',
        b'{"type": {}, "data": {"a": [[]]}}',
    ],
)
def test_there_is_a_line_for_everything(line: Callable[[Record], str], value: bytes) -> None:
    assert line(record(value))


def test_a_message_without_an_id_has_its_place_as_its_id() -> None:
    assert "m1" == message_id(record({"id": "m1"}))
    assert "cx.t.v1/0/5" == message_id(record(b"["))


def test_values_that_are_no_json_are_shown_as_text() -> None:
    assert [None, {"a": 1}, "{", "�"] == [plain(value) for value in (None, b'{"a": 1}', b"{", b"\xff")]
