"""The ``cxbus`` command on a bus of its own: started, used and hurt as a person would."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from agents.dead_letters import dead_letter as letter_about
from cli.health import announced
from cli.problem import Code
from cli.publication import publish
from cli.send import STRUCTURED
from schemas.journal import Origin
from schemas.refusal import Reason, Refusal

from .cli_bus import (
    ADA,
    COMMAND,
    EMAIL,
    FEW,
    STORY,
    Bus,
    event,
    family,
    running,
    within,
)

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """A bus on which the story was published, has arrived, and left one dead letter."""
    with running(tmp_path_factory.mktemp("bus")) as bus:
        bus.start()
        said = bus.say("send", "-", stdin="\n".join(STORY[:2]))
        assert (Code.OK, "2 events sent: 1 to sales and 1 to web.\n") == said[:2], said.err
        # two customers, whom the next event makes one
        assert within(FEW, lambda: bus.say("customer", "show", "C-1042").code == Code.OK)
        assert within(FEW, lambda: bus.say("customer", "show", "ada@example.com").code == Code.OK)
        said = bus.say("send", "-", stdin="\n".join(STORY[2:]))
        assert (Code.OK, "2 events sent: 1 to marketing and 1 to service.\n") == said[:2], said.err
        said = bus.say("send", "-", "--no-check", "--department", "sales", stdin="{oops")
        assert Code.OK == said.code, said.err
        assert within(FEW, lambda: bus.say("customer", "show", "C-1042").code == Code.OK)
        assert within(FEW, lambda: bus.json("customer", "show", "C-1042")["entries"] == 4)
        assert within(FEW, lambda: bus.json("alerts", "list") and bus.json("dead", "list"))
        yield bus


def test_a_start_tells_what_is_where(bus: Bus) -> None:
    told = bus.told()
    for part in (
        "✓ Kafka",
        "✓ topics       19, 19 of them new",
        "✓ worker 0",
        "✓ sink",
        "cxbus.db",
        "/logs",
        "The bus runs",
    ):
        assert part in told


def test_a_second_start_in_the_same_place_says_who_is_there(bus: Bus) -> None:
    assert bus.process is not None
    said = bus.say("run")
    assert Code.USAGE == said.code
    assert f"cxbus: The bus is already running here (process {bus.process.pid})" in said.err


def test_status_shows_topics_lag_and_health(bus: Bus) -> None:
    def topics() -> dict[str, Any]:
        return {topic["topic"]: topic for topic in bus.json("status")["topics"]}

    assert within(FEW, lambda: {"sink": 0} == topics()["cx.timeline.v1"]["lag"])
    assert within(FEW, lambda: {"workers": 0} == topics()["cx.journal.v1"]["lag"])  # offsets follow within a second
    assert (19, 1) == (len(topics()), topics()["cx.service.events.v1"]["records"])
    found = bus.json("status")
    assert [("sink", True), ("worker-0", True)] == [(one["name"], one["ready"]) for one in found["processes"]]
    assert {"count": 0, "latest": []} == found["blockedIdentifiers"]
    said = bus.say("status")
    assert Code.OK == said.code
    for part in ("(embedded)", "digest", "cx.journal.v1", "worker-0", "4 journal partitions", "http://127.0.0.1:"):
        assert part in said.out


def test_topics_are_listed_and_applied_again(bus: Bus) -> None:
    assert all(topic["exists"] and not topic["differences"] for topic in bus.json("topics", "list"))
    assert "cx.dead.v1" in bus.say("topics", "list").out
    assert (Code.OK, "All 19 topics exist with the settings that the bus needs.\n", "") == bus.say("topics", "apply")


def test_the_customer_is_shown_with_what_is_open_and_what_stands(bus: Bus) -> None:
    found = bus.json("customer", "show", "email:ada@example.com")
    assert ["marketing", "service", "web", "sales"] == [entry["department"] for entry in found["timeline"]]
    assert ["campaign-during-complaint"] == [alert["rule"] for alert in found["standing"]]
    said = bus.say("customer", "show", "ada@example.com")
    for part in (
        "Ada Lovelace",
        "case K1 since",
        "campaign-during-complaint (warning)",
        "campaign sent",
        "Timeline: 4 entries",
    ):
        assert part in said.out
    assert [found["customerId"]] == [customer["customerId"] for customer in bus.json("customer", "search", "love")]


def test_an_id_that_was_merged_away_shows_who_lives_on(bus: Bus) -> None:
    profiles = bus.lines("tail", "profiles", "-n", "100")
    merged = {one["value"]["data"].get("mergedInto"): one["key"] for one in profiles}
    merged.pop(None)
    ((survivor, old),) = merged.items()
    assert survivor == bus.json("customer", "show", old)["customerId"]
    assert f"(which {old} was merged into)" in bus.say("customer", "show", old).out


def test_alerts_are_listed_explained_and_tailed(bus: Bus) -> None:
    (alert,) = bus.json("alerts", "list", "--department", "marketing")
    (explained,) = bus.json("alerts", "explain", alert["alertId"])
    assert ["3", "4"] == [event["id"] for event in explained["evidence"]]
    said = bus.say("alerts", "explain", alert["alertId"])
    for part in (
        "campaign-during-complaint, version 1",
        "Ada Lovelace",
        "service.case.opened.v1",
        "campaignId S1",
        "expires",
    ):
        assert part in said.out
    (told,) = bus.lines("alerts", "tail")
    assert alert["alertId"] == told["value"]["data"]["alertId"]
    assert (
        "! fired campaign-during-complaint  Ada Lovelace → marketing, service:"
        in bus.say("alerts", "tail", "--no-follow").out
    )


@pytest.mark.parametrize("what", ["timeline", "alerts", "dead", "profiles", "service"])
def test_everything_can_be_tailed(bus: Bus, what: str) -> None:
    lines = bus.lines("tail", what)
    said = bus.say("tail", what, "--no-follow")
    assert Code.OK == said.code
    assert 0 < len(lines) == len(said.out.splitlines())
    assert lines[-1:] == bus.lines("tail", what, "-n", "1")


def test_tail_goes_on_with_what_comes_until_it_is_interrupted(bus: Bus) -> None:
    with subprocess.Popen(
        [*COMMAND, "--data-dir", str(bus.data_dir), "tail", "web", "-n", "0"], stdout=subprocess.PIPE, text=True
    ) as tail:
        printed: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=lambda: printed.put(next(iter(tail.stdout or ()), "")), daemon=True)
        reader.start()
        made = event(50, "web.search.performed", 1, EMAIL, name="A", query="lamp")
        for _ in range(20):  # nothing tells when it listens: copies of one event until it hears one
            assert Code.OK == bus.say("send", "-", stdin=made).code
            with suppress(queue.Empty):
                assert "search performed: query lamp" in printed.get(timeout=2)
                break
        else:
            pytest.fail("tail printed nothing")
        tail.send_signal(signal.SIGINT)
        assert Code.OK == tail.wait(FEW)


def test_a_dead_letter_is_shown_with_its_reason_and_what_came(bus: Bus) -> None:
    letter = bus.json("dead", "list")[0]
    assert "not-json" == letter["reason"]
    found = bus.json("dead", "show", letter["origin"])
    assert ("{oops", letter["number"]) == (found["value"], found["number"])
    said = bus.say("dead", "show", str(letter["number"]))
    assert "found by intake" in said.out
    assert said.out.endswith("\n{oops\n")


def test_a_retry_that_fails_again_replaces_its_letter(bus: Bus) -> None:
    (letter,) = bus.json("dead", "list", "--reason", "not-json")
    said = bus.say("dead", "retry", str(letter["number"]))
    assert Code.WRONG == said.code
    assert "1 dead letter sent again: 1 to cx.sales.events.v1.\n0 succeeded, 1 failed again:" in said.out
    (again,) = bus.json("dead", "list", "--reason", "not-json")
    assert f"cx.dead.v1/0/{letter['number']}" == again["retryOf"]
    assert Code.USAGE == bus.say("dead", "retry", str(letter["number"])).code


def test_a_letter_whose_cause_was_mended_is_taken_in(bus: Bus) -> None:
    mended = event(70, "web.search.performed", 1, EMAIL, name=ADA, query="mended lamp").encode()
    told = {"topic": "cx.web.events.v1", "partition": "0", "offset": "999999", "exception": "decision-error"}
    headers = [*STRUCTURED, *((f"__cxbus.errors.{name}", text.encode()) for name, text in told.items())]
    publish(bus.json("status")["bootstrap"], [("cx.dead.v1", mended, None, headers)])
    assert Code.OK == bus.say("dead", "retry", "cx.web.events.v1/0/999999").code
    assert within(FEW, lambda: "mended lamp" in bus.say("customer", "show", "C-1042").out)
    (record,) = [one for one in bus.lines("tail", "web") if one["value"]["id"] == "70"]
    assert record["headers"]["__cxbus.retry-of"].startswith("cx.dead.v1/0/")


def test_what_is_large_once_unpacked_is_a_letter_that_knows_all_of_it(bus: Bus) -> None:
    async def story() -> str:
        servers = bus.json("status")["bootstrap"]
        async with AIOKafkaProducer(
            bootstrap_servers=servers, compression_type="gzip", max_batch_size=4 << 20, max_request_size=4 << 20
        ) as producer:
            sent = await producer.send_and_wait("cx.web.events.v1", b"0" * (2 << 20), b"a key", partition=0)
        return f"cx.web.events.v1/0/{sent.offset}"

    origin = asyncio.run(story())
    assert within(FEW, lambda: bus.say("dead", "show", origin).code == Code.OK)
    letter = bus.json("dead", "show", origin)
    assert ("too-large", 65_536) == (letter["reason"], len(letter["value"]))
    assert (5, 2 << 20, 0) == tuple(letter["cut"][name] for name in ("key_bytes", "value_bytes", "headers"))
    assert "65536 of 2097152 bytes of the value and 5 of 5 bytes of the key" in bus.say("dead", "show", origin).out
    whole = bus.json("dead", "show", origin, "--whole")
    assert ("0" * (2 << 20), None) == (whole["value"], whole["cut"])
    said = bus.say("dead", "retry", origin)
    assert Code.WRONG == said.code
    assert "can't be sent: its value has 2097152 bytes, and an event may have at most 262144." in said.err


def test_of_a_cut_letter_whose_origin_is_gone_the_rest_is_said_to_be_gone(bus: Bus) -> None:
    origin = Origin("cx.web.events.v1", 0, 888_888)
    made = letter_about(None, b"0" * 2_000_000, (), "intake", origin, Refusal(Reason.TOO_LARGE, "Too large."))
    publish(bus.json("status")["bootstrap"], [("cx.dead.v1", made.value, None, made.headers)])
    said = bus.say("dead", "show", "cx.web.events.v1/0/888888", "--whole")
    assert Code.WRONG == said.code
    assert "cx.web.events.v1/0/888888 no longer exists" in said.err


def test_events_with_errors_are_named_and_not_sent(bus: Bus) -> None:
    before = bus.published()
    said = bus.say("send", "-", stdin=STORY[0] + "\n" + STORY[1].replace("/lamps", '/lamps", "x": ', 1))
    assert Code.WRONG == said.code
    assert "1 of 2 events can't be sent, so none was:\n  line 2: not-json: " in said.err
    assert before == bus.published()


@pytest.mark.parametrize(
    "verb",
    [["tail", "timeline"], ["alerts", "list"], ["dead", "list", "--json"], ["status"], ["topics", "list"], ["doctor"]],
)
def test_a_reader_that_has_read_enough_is_no_error(bus: Bus, verb: list[str]) -> None:
    assert (Code.OK, "") == bus.unread(*verb)


def test_an_unknown_thing_to_tail_is_a_usage_error(bus: Bus) -> None:
    said = bus.say("tail", "everything")
    assert Code.USAGE == said.code
    assert "There is no everything to tail; choose one of timeline, alerts, dead, profiles, finance," in said.err


def test_metrics_of_worker_and_sink_are_there(bus: Bus) -> None:
    import urllib.request

    pages = {}
    for process in announced(bus.data_dir):
        with urllib.request.urlopen(f"{process.url}/metrics", timeout=5) as answer:
            pages[process.name] = answer.read().decode()
    assert 'cxbus_alerts_total{rule="campaign-during-complaint",state="fired"} 1.0' in pages["worker-0"]
    for metric in ("cxbus_sink_records_total", "cxbus_sink_flush_seconds_count", 'records{topic="cx.timeline.v1"} 0.0'):
        assert metric in pages["sink"]


def test_a_case_that_is_closed_for_somebody_who_does_not_have_it_is_named_by_the_doctor(bus: Bus) -> None:
    assert "✓ unmatched closings: none since the workers of this machine started" in bus.say("doctor").out
    closing = event(50, "service.case.resolved", 1, ("customer_no", "C-7"), name="Bob", caseId="K1")
    assert Code.OK == bus.say("send", "-", stdin=closing).code
    named = (
        "! unmatched closings: 1 event of service closed no matter of their customer since the workers of this machine "
        "started"
    )
    assert within(FEW, lambda: named in bus.say("doctor").out)
    assert "case K1 since" in bus.say("customer", "show", "C-1042").out


@pytest.mark.slow
@pytest.mark.faults
def test_a_killed_worker_and_a_killed_broker_are_started_again(bus: Bus) -> None:
    worker = next(process for process in announced(bus.data_dir) if process.name == "worker-0")
    os.kill(worker.pid, signal.SIGKILL)
    assert within(FEW, lambda: "worker 0 was ended by signal 9; restarting it in 1 s" in bus.told())
    assert Code.WRONG == bus.say("status").code
    assert within(2 * FEW, lambda: 2 == bus.told().count("✓ worker 0"))
    assert within(2 * FEW, lambda: "4 journal partitions" in bus.say("status").out)
    owner = json.loads((bus.data_dir / "kafka" / "node.json").read_text())["owner"]
    assert bus.process is not None
    assert bus.process.pid == owner
    broker = [pid for pid in family(owner) if pid not in (owner, *(one.pid for one in announced(bus.data_dir)))]
    for pid in broker:
        os.kill(pid, signal.SIGKILL)
    assert within(2 * FEW, lambda: 2 == bus.told().count("✓ Kafka"))
    said = bus.say("send", "-", stdin=event(60, "web.search.performed", 1, EMAIL, name="A", query="lamp shade"))
    assert Code.OK == said.code, said.err
    assert within(2 * FEW, lambda: "lamp shade" in bus.say("customer", "show", "C-1042").out)
