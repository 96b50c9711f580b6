"""Decision errors: what fails, or would not fit a record, costs itself only and leaves nothing behind."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import messages, output_size
from core.rules.conditions.condition import Answer, Condition, FeatureIndex, Now
from core.rules.ruleset import RuleSet
from core.timeline.entry import FOREVER
from core.timeline.features import Feature
from engine.kafka.record import Record
from schemas.journal import MERGE, ORDER
from schemas.topics import DEAD, JOURNAL, PROFILES, TIMELINE, alerts_topic, partition_of

from .bench import (
    MEMORY,
    PARTITIONS,
    RULES,
    Journal,
    advertise,
    complain,
    complain_and_advertise,
    event,
    identifiers,
    merge,
    minute,
    size,
    told_of,
)

ID_BYTES = 64
"""A profile's own id is not counted: it has the offset, and room enough."""


@pytest.fixture(autouse=True)
def no_tracebacks() -> Iterator[None]:
    """A decision that fails tells at length where; here many do."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


# --- what would be too large -----------------------------------------------------------------------------------------


def story(number: int) -> list[tuple[str, bytes]]:
    """What happens to a customer, with details of every length."""
    told = [
        ("service", event("service.case.opened.v1", minute(0), caseId="K1", category="complaint", priority="high")),
        ("web", event("web.page.viewed.v1", minute(1), url="u", customer={"identifiers": identifiers(1, number % 7)})),
    ]
    for one in range(2, 12):
        size = number * one % 230 + 1
        sent = {"campaignId": "S" * size, "channel": "email"}
        told.append(("marketing", event("marketing.campaign.sent.v1", minute(one), one, **sent)))
        case = {"caseId": "K" * size, "category": "question", "priority": "low"}
        told.append(("service", event("service.case.opened.v1", minute(one), one, **case)))
    return told


def heard(home: Path, log: Sequence[Record], cuts: Sequence[int]) -> Any:
    """All that becomes of the journal's records in batches of these lengths, and what a restored journey makes of the
    last.
    """
    journal = Journal(home)
    for place, batch in enumerate(batches(log[:-1], cuts)):
        for output in journal.run(batch):
            assert size(output) <= output_size.MOST_BYTES + ID_BYTES, (place, output.topic)
    restored = journal.restored(home / "restored")
    answers = [journal.run(log[-1:]), restored.run(log[-1:])]
    kept = journal.documents()
    assert kept == restored.documents()
    assert answers[0] == answers[1]
    dead = [made.value for made in journal.logs.get((DEAD, 0), [])]
    alerts = journal.messages(alerts_topic("service"))
    entries = journal.current(TIMELINE)
    journal.close()
    restored.close()
    return dead, alerts, entries, kept


def batches(log: Sequence[Record], cuts: Sequence[int]) -> Iterator[Sequence[Record]]:
    place = turn = 0
    while place < len(log):
        yield log[place : place + cuts[turn % len(cuts)]]
        place += cuts[turn % len(cuts)]
        turn += 1


@given(st.integers(0, 1000), st.integers(3_000, 20_000), st.lists(st.integers(1, 9), min_size=1, max_size=4))
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_would_not_fit_is_a_decision_error_however_a_batch_was_cut(
    number: int, most: int, cuts: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        home = Path(folder)
        single = Journal(home / "single")
        for department, value in story(number):
            single.publish("c", value, department)
        log = single.logs[JOURNAL, partition_of("c", PARTITIONS)]
        single.close()
        patch.setattr(output_size, "MOST_BYTES", most)
        one_by_one, cut = heard(home / "a", log, [1]), heard(home / "b", log, cuts)
        assert one_by_one == cut
        dead, _, entries, _ = cut
        assert len(log) == len(dead) + len(entries)


def test_an_event_that_would_not_fit_leaves_nothing_behind(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    complain(journal, "c", 0)
    before = journal.current(PROFILES), journal.current(TIMELINE)
    monkeypatch.setattr(output_size, "MOST_BYTES", sum(map(len, journal.documents()["c"])) + 400)
    outputs = advertise(journal, "c", 1)
    (letter,) = [output for output in outputs if output.topic == DEAD]
    assert b"decision-error" == dict(letter.headers)["__cxbus.errors.exception"]
    assert before[1] == journal.current(TIMELINE)
    after = journal.current(PROFILES)["c"]
    assert (1, []) == (after["entries"], after["standing"])
    monkeypatch.undo()
    advertise(journal, "c", 1)
    assert ["fired"] == [alert["state"] for alert in told_of(journal, "campaign-during-complaint")]


def test_an_event_whose_alert_cannot_be_written_leaves_nothing_behind(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain(journal, "c", 0)
    monkeypatch.setattr(messages, "alert", lambda *_: 1 / 0)
    assert DEAD in [output.topic for output in advertise(journal, "c", 1)]
    monkeypatch.undo()
    advertise(journal, "c", 1)
    assert ["fired"] == [alert["state"] for alert in told_of(journal, "campaign-during-complaint")]
    assert 2 == len(journal.current(TIMELINE))


# --- conditions with a bug -------------------------------------------------------------------------------------------


class Moody(Condition):
    """A condition with a bug that comes and goes."""

    broken: ClassVar[bool] = False

    def __init__(self, real: Condition) -> None:
        self._real = real

    def holds(self, now: Now) -> Answer:
        if Moody.broken:
            raise ZeroDivisionError
        return self._real.holds(now)

    def changes(self, now: Now) -> int:
        return self._real.changes(now)

    def features(self) -> Iterable[Feature]:
        return self._real.features()

    def bound(self, kept: FeatureIndex) -> Condition:
        return Moody(self._real.bound(kept))

    def fields(self) -> frozenset[str]:
        return self._real.fields()


MOODY = RuleSet([replace(rule, condition=Moody(rule.condition)) for rule in RULES.rules.values()], RULES.vocabulary)


def test_a_move_whose_judgement_fails_is_taken_in_and_judged_at_the_next_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(broken: bool, home: Path) -> tuple[Any, ...]:
        journal = Journal(home, MOODY)
        complain(journal, "young", 0)
        advertise(journal, "old", 1)
        monkeypatch.setattr(Moody, "broken", broken)
        merge(journal, "young", "old")
        monkeypatch.setattr(Moody, "broken", False)
        place = partition_of("old", PARTITIONS)
        unjudged = journal.journey(place)._metrics.unjudged._value.get()
        assert unjudged == broken
        assert journal.known("old").unjudged == broken
        assert {"old"} == {entry["customerId"] for entry in journal.current(TIMELINE).values()}
        restored = journal.restored(home / "again")
        for one in (journal, restored):
            page = event("web.page.viewed.v1", minute(2), url="u")
            one.publish("old", page, "web")
        assert journal.documents() == restored.documents()
        found = [(message["data"]["state"], message["data"]["instanceKey"])
                 for message in journal.messages(alerts_topic("service"))]  # fmt: skip
        document = journal.current(PROFILES)["old"]
        assert DEAD not in {topic for topic, _ in journal.logs}
        journal.close()
        restored.close()
        return found, document["entries"], document["open"], document["standing"]

    usual, late = told(False, tmp_path / "a"), told(True, tmp_path / "b")
    assert usual == late
    assert [("fired", "CAMP-00001")] == usual[0]


class Broken(Condition):
    """A condition with a bug."""

    def holds(self, now: Now) -> Answer:
        raise ZeroDivisionError

    def changes(self, now: Now) -> int:
        return FOREVER

    def features(self) -> tuple[()]:
        return ()

    def bound(self, kept: FeatureIndex) -> Condition:
        return self


def with_a_bug() -> RuleSet:
    """The rules, one of which always fails."""
    broken = replace(RULES.rules["dunning-during-dispute"], condition=Broken())
    return RuleSet({**RULES.rules, broken.name: broken}.values(), RULES.vocabulary)


def test_an_error_in_a_decision_isolates_one_event_and_everything_else_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, with_a_bug())
    complain_and_advertise(journal, "c_1")
    poison = event("finance.dunning.sent.v1", "2026-11-17T13:00:00Z", invoiceId="I1", level=1)
    outputs = journal.publish("c_1", poison, "finance")
    letter = next(output for output in outputs if output.topic == DEAD)
    assert b"decision-error" == dict(letter.headers)["__cxbus.errors.exception"]
    journal.publish("c_1", event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    assert 3 == journal.current(PROFILES)["c_1"]["entries"]
    journal.close()


@pytest.mark.parametrize("before", [0, 1])
def test_an_error_in_a_decision_costs_nothing_else_of_its_batch(tmp_path: Path, before: int) -> None:
    """``before``: so many records came in a batch of their own, so that the customer is known."""
    whole = Journal(tmp_path / "whole")
    complain_and_advertise(whole, "c_1")
    whole.publish("c_1", event("finance.dunning.sent.v1", "2026-11-17T13:00:00Z", invoiceId="I1", level=1), "finance")
    whole.publish("c_1", event("service.case.resolved.v1", "2026-11-18T09:00:00Z", caseId="K1"))
    log = whole.logs[JOURNAL, partition_of("c_1", PARTITIONS)]
    whole.close()
    journal = Journal(tmp_path / "broken", with_a_bug())
    for batch in filter(None, (log[:before], log[before:])):
        outputs = journal.run(batch)
    assert 1 == sum(output.topic == DEAD for output in outputs)
    entries = [entry["event"]["type"] for entry in journal.current(TIMELINE).values()]
    assert ["marketing.campaign.sent.v1", "service.case.opened.v1", "service.case.resolved.v1"] == sorted(entries)
    assert 3 == journal.current(PROFILES)["c_1"]["entries"]
    assert ["fired"] == [message["data"]["state"] for message in journal.messages(alerts_topic("service"))]
    journal.close()


def test_a_merge_that_fails_altogether_stops_nobody_else(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    complain_and_advertise(journal, "c_1")
    entries = dict(journal.current(TIMELINE))

    def broken(*_: object) -> Iterator[bytes]:
        raise ZeroDivisionError

    monkeypatch.setattr("agents.moves.parts", broken)
    (letter,) = (
        one
        for one in journal.tell("c_1", orjson.dumps({"into": "c_2", "version": 1}), ((ORDER, MERGE),))
        if one.topic == DEAD
    )
    told = dict(letter.headers)
    assert b"decision-error" == told["__cxbus.errors.exception"]
    assert JOURNAL.encode() == told["__cxbus.errors.topic"]
    assert entries == journal.current(TIMELINE)
    journal.publish("c_1", event("service.case.resolved.v1", "2026-11-03T09:00:00Z", 9, caseId="K1"))
    assert len(entries) + 1 == len(journal.current(TIMELINE))
