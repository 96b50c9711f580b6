"""What is sent where, and what is refused before anything is sent."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.normalisation import Normalisation
from cli.event_file import FileEvent, read
from cli.main import app
from cli.problem import Code
from cli.send import EventToSend, Judge
from schemas.registry import Registry

REGISTRY = Registry.discover()
CHECK = Judge(REGISTRY, None, Normalisation("GB"))


def event(**more: Any) -> dict[str, Any]:
    data = {
        "customer": {"identifiers": [{"type": "email", "value": "ada@example.com"}]},
        "caseId": "K1",
        "category": "complaint",
        "priority": "high",
    }
    envelope = {"specversion": "1.0", "id": "1", "source": "/desk", "time": "2026-03-02T09:00:00Z"}
    return {**envelope, "type": "service.case.opened.v1", "data": data, **more}


def answer(department: str) -> dict[str, Any]:
    data = {"alertId": "a_1", "customerId": "c_1", "department": department, "by": "eve"}
    return event(type="bus.alert.acknowledged.v1", data=data)


def written(said: Any) -> FileEvent:
    (one,) = read(io.BytesIO(json.dumps(said).encode()))
    return one


def sent(content: str, *options: str) -> tuple[int, str]:
    """Exit code and stderr of ``cxbus send -``, where there is no Kafka."""
    result = CliRunner().invoke(app, ["--bootstrap", "nowhere", "send", "-", *options], input=content)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (event(), "service"),
        (event(type="sales.unheard.of.v1"), "sales"),
        (answer("marketing"), "marketing"),
        (answer("nobody"), None),
        (event(type="hr.person.hired.v1"), None),
        (event(type=7), None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_type_says_whose_topic_it_is_and_an_answer_names_it(said: Any, expected: str | None) -> None:
    assert expected == CHECK.home(said)


@pytest.mark.parametrize("said", [event(), answer("sales")])
def test_a_good_event_goes_out_as_it_was_written(said: Mapping[str, Any]) -> None:
    one = written(said)
    assert EventToSend(CHECK.home(said) or "", one.value) == CHECK(one)


def test_an_event_of_the_day_after_tomorrow_is_refused() -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    judged = CHECK(written(event(time=later.isoformat())))
    assert isinstance(judged, str)
    assert judged.startswith("time-in-future: ")


def test_each_wrong_event_is_named_with_its_line_and_reason_and_none_is_sent() -> None:
    lines = [event(), event(data={}), event(type="service.case.opend.v1"), event(source="")]
    code, err = sent("\n".join(map(json.dumps, lines)) + "\n{oops")
    assert Code.WRONG == code
    assert "4 of 5 events can't be sent, so none was:" in err
    assert "line 2: invalid-data: data.customer is missing" in err
    assert 'line 3: unknown-type: the attribute "type" is the string "service.case.opend.v1"' in err
    assert 'did you mean "service.case.opened.v1"?' in err
    assert "line 4: not-cloudevents: " in err
    assert "line 5: not-json: " in err


def test_many_errors_are_counted_not_all_told() -> None:
    code, err = sent("\n".join(["{}"] * 500))
    assert Code.WRONG == code
    assert "and 480 more" in err
    assert "line 21:" not in err


def known_as(*identifiers: tuple[str, str], **more: Any) -> dict[str, Any]:
    customer = {"identifiers": [{"type": kind, "value": value} for kind, value in identifiers]}
    return event(data={**event()["data"], "customer": customer}, **more)


def test_events_that_identify_nobody_are_refused_as_intake_would() -> None:
    lines = [
        known_as(("customer_no", "null"), ("phone", "+1 555 555 5555")),
        known_as(("email", "ada@example.com"), ("e-mail", "ada@example.com")),
    ]
    code, err = sent("\n".join(map(json.dumps, lines)))
    assert Code.WRONG == code
    assert "line 1: no-identifier: none of data.customer.identifiers identifies anybody: [0] (customer_no) is a " in err
    assert "[1] (phone) is not a valid telephone number" in err
    assert 'line 2: invalid-data: data.customer.identifiers[1].type is "e-mail"' in err
    assert 'did you mean "email"?' in err


def test_identifiers_that_will_be_dropped_are_told_before_anything_is_sent() -> None:
    some = known_as(("customer_no", "C-1"), ("phone", "+1 555 555 5555"))
    code, err = sent("\n".join([json.dumps(event()), json.dumps(some)]))
    assert Code.USAGE == code, "there is no Kafka"
    told = "Some of data.customer.identifiers identify nobody, in 1 event:\n  line 2: [1] (phone) is not a valid "
    assert err.index(told) < err.index("'nowhere' is not the address of a Kafka broker")
    _, err = sent("\n".join([json.dumps(some)] * 25))
    assert "line 20: " in err
    assert "line 21: " not in err
    assert "and 5 more" in err


def test_what_the_company_blocks_and_declares_is_known_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_BLOCKED_IDENTIFIERS", '["loyalty_no:L-0*"]')
    monkeypatch.setenv("CXBUS_IDENTIFIER_TYPES", '["loyalty_no"]')
    lines = [known_as(("loyalty_no", "L-10")), known_as(("loyalty_no", "L-01"))]
    code, err = sent("\n".join(map(json.dumps, lines)))
    assert Code.WRONG == code
    assert "1 of 2 events" in err
    assert "line 2: no-identifier: " in err
    assert "[0] (loyalty_no) is blocked by CXBUS_BLOCKED_IDENTIFIERS" in err


def test_good_events_are_sent_only_after_all_were_checked() -> None:
    code, err = sent(json.dumps(event()))
    assert Code.USAGE == code
    assert "'nowhere' is not the address of a Kafka broker" in err


@pytest.mark.parametrize("events", [10, 1000])
def test_a_temporary_folder_without_room_is_named(events: int, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event(id=str(number))) + "\n" for number in range(events)))
    command = f'ulimit -f 1; exec "{sys.executable}" -m cli.main --bootstrap 127.0.0.1:1 send {file}'
    done = subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, text=True)
    assert Code.USAGE == done.returncode
    assert "can't take the checked events (File too large); name a folder with more room in TMPDIR." in done.stderr


def test_an_empty_file_is_an_error() -> None:
    assert (Code.WRONG, "cxbus: There is no event in -.\n") == sent("\n")


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["send", "not/there.jsonl"])
    assert Code.USAGE == result.exit_code
    assert "cxbus: not/there.jsonl can't be read: No such file or directory.\n" == result.stderr


def test_unchecked_events_must_still_tell_where_they_go() -> None:
    code, err = sent("{oops", "--no-check")
    assert Code.WRONG == code
    assert "line 1: its department is unknown; name it with --department." in err


def test_unchecked_events_go_where_they_are_told_to() -> None:
    assert EventToSend("sales", b"{oops") == Judge(REGISTRY, "sales", None)(FileEvent("line 1", b"{oops", None, "x"))


def test_a_department_without_a_topic_is_a_usage_error() -> None:
    code, err = sent(json.dumps(event()), "--department", "bus")
    assert Code.USAGE == code
    assert "has no topic; the departments are finance, marketing, sales, service, social and web." in err


def test_an_event_on_another_departments_topic_is_refused_unless_unchecked() -> None:
    code, err = sent(json.dumps(event()), "--department", "sales")
    assert Code.WRONG == code
    assert "wrong-topic" in err
