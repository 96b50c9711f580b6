"""The demo's story, without a bus: what the definitions make of it, and how a run is held against the manifest."""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.identifiers import Identifiers
from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from cli.demo import manifest
from cli.demo.manifest import ExpectedAlert, ManifestError, differences
from cli.demo.narrator import Narrator
from cli.demo.observed import Alerted, CustomersMerged, Died, EventArrived, Observed
from cli.demo.performance import of_demo
from cli.demo.run_record import RunRecord, remembered
from cli.demo.story import Story, StoryEvent, story
from cli.demo.summary import Summary
from core.alerts.alert import Name
from core.alerts.history import folded_entries, matches
from core.identity.links import CustomerCreated, Linked, Node, resolve, root
from core.identity.links import Merged as MergedInto
from core.timeline.entry import DAY, HOUR, Entry, event_uid
from runtime.settings import Settings
from schemas.codec import Codec, Decoded
from schemas.refusal import Refusal
from schemas.registry import Registry
from schemas.topics import DEAD, IDENTITIES, TIMELINE, alerts_topic

NOW = 1_795_353_296_789_012
"""2026-11-22, at no full minute."""
REGISTRY = Registry.discover()
CODEC = Codec(REGISTRY)
RULES = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
EXPECTED = manifest.load()
ORDINARY = 36


def decoded(event: StoryEvent) -> Decoded:
    found = CODEC.decode(event.department, event.value, [("content-type", b"application/cloudevents+json")])
    assert isinstance(found, Decoded), found
    return found


def entries(events: Iterable[StoryEvent]) -> dict[str, list[Entry]]:
    """By whose they are; without what can't be read."""
    found = defaultdict(list)
    for event in events:
        if event.uid is not None:
            of = decoded(event)
            found[event.who].append(
                Entry(of.time, event.uid, of.type, of.source, of.id, orjson.loads(of.value)["data"])
            )
    return found


class Graph:
    """Who is who, in memory."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.births: dict[str, int] = {}

    def owner(self, node_hash: str) -> str | None:
        return self.owners.get(node_hash)

    def merged_into(self, customer: str) -> str | None:
        return self.redirects.get(customer)

    def born(self, customer: str) -> int:
        return self.births[customer]

    def fold(self, nodes: tuple[Node, ...], offset: int) -> str:
        resolution = resolve(nodes, offset, self, lambda _, at: f"c{at}")
        for change in resolution.changes:
            if isinstance(change, Linked):
                self.owners[change.node.hash] = change.customer
            elif isinstance(change, CustomerCreated):
                self.births[change.customer] = change.offset
            elif isinstance(change, MergedInto):
                self.redirects[change.customer] = change.into
        return resolution.customer


def resolved(told: Story, prologue: Iterable[StoryEvent]) -> tuple[dict[str, str], list[str]]:
    """Whose each customer is after all, and whose merges there were in the day; the prologue in any order."""
    identifiers, graph = Identifiers(b"sixteen characters", "GB"), Graph()
    whose: dict[str, str] = {}
    merges: list[str] = []
    for offset, event in enumerate([*prologue, *told.day]):
        if event.uid is None:
            continue
        identified = identifiers.of(decoded(event).identifiers)
        assert () == identified.dropped
        before = len(graph.redirects)
        whose[graph.fold(identified.nodes, offset)] = event.who
        merges += [event.who] * (len(graph.redirects) - before)
    return {root(customer, graph.merged_into): who for customer, who in whose.items()}, merges


@pytest.mark.parametrize("suffix", ["", "1a2b3c4d"])
def test_every_event_can_be_read_except_the_malformed_one(suffix: str) -> None:
    told = story(NOW, suffix)
    refused = [event for event in told.events if event.uid is None]
    assert len(refused) == 1
    dead = CODEC.decode(refused[0].department, refused[0].value, None)
    assert isinstance(dead, Refusal)
    assert EXPECTED.dead == {dead.reason: 1}
    assert "data.total is the number 12.4" in dead.message
    for event in told.events:
        if event.uid is not None:
            found = decoded(event)
            assert (event.uid, event.at, event.value) == (event_uid(found.source, found.id), found.time, found.value)


def test_no_event_is_published_twice_nor_by_two_runs() -> None:
    uids = [event.uid for suffix in ("", "a", "b") for event in story(NOW, suffix).events if event.uid is not None]
    assert len(uids) == len(set(uids))


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert story(NOW, "a") == story(NOW, "a")
    assert story(NOW) != story(NOW + HOUR)


def test_the_prologue_is_of_the_last_three_weeks_and_the_day_of_the_last_twenty_hours() -> None:
    told = story(NOW)
    day = [event.at for event in told.day]
    assert NOW - 21 * DAY <= min(event.at for event in told.prologue)
    assert max(event.at for event in told.prologue) < NOW - 20 * HOUR <= min(day)
    assert max(day) < NOW
    assert sorted(day[:-1]) == day[:-1]
    assert day[-1] < day[-2]  # the late one


def test_every_event_of_the_day_is_told_in_a_sentence_that_fits_a_line_of_80_columns() -> None:
    assert [event.says for event in story(NOW).day if not 0 < len(event.says) <= 60] == []


def test_the_prologue_fires_nothing() -> None:
    assert [matches(history, RULES) for history in entries(story(NOW).prologue).values()] == [[]] * (ORDINARY + 3)


def test_nothing_that_ordinary_customers_do_could_fire() -> None:
    told = story(NOW)
    ordinary = {who: of for who, of in entries(told.events).items() if who not in told.names}
    assert ORDINARY == len(ordinary)
    taken = [one for of in ordinary.values() for one in folded_entries(of, RULES)]
    assert [one.entry for one in taken if one.effects.judged] == []


def test_the_day_fires_exactly_what_the_manifest_says() -> None:
    """By the batch definition, after each event: what ever held was told, and what does not any more was retracted."""
    told = story(NOW)
    known: dict[Name, ExpectedAlert] = {}
    for count in range(len(told.day)):
        for who, history in entries([*told.prologue, *told.day[: count + 1]]).items():
            held = {match.name: match.match_end for match in matches(history, RULES)}
            for name, watch in held.items():
                state = "fired" if watch.end is None or watch.end > NOW else "resolved"
                known[name] = ExpectedAlert(watch.rule.name, who, state, tuple(sorted(watch.rule.notify)))
            gone = [name for name, alert in known.items() if alert.of == who and name not in held]
            known |= {name: known[name]._replace(state="retracted") for name in gone}
    assert sorted(EXPECTED.alerts) == sorted(known.values())


@pytest.mark.parametrize("suffix", ["", "1a2b3c4d"])
def test_the_identifiers_make_the_expected_customers_and_the_one_merge_whatever_comes_first(suffix: str) -> None:
    told = story(NOW, suffix)
    for prologue in (told.prologue, told.prologue[::-1]):
        whose, merges = resolved(told, prologue)
        assert EXPECTED.customers == len(whose) == len(set(whose.values()))
        assert EXPECTED.merges == Counter(merges)


def test_two_runs_share_no_customer() -> None:
    both = [*story(NOW).events, *story(NOW, "a").events, *story(NOW, "b").events]
    whose, _ = resolved(replace(story(NOW), day=()), both)
    assert EXPECTED.customers * 3 == len(whose)


def test_all_addresses_are_of_example_com() -> None:
    known = [pair for event in story(NOW, "a").events if event.uid for pair in decoded(event).identifiers]
    assert {"example.com"} == {value.rpartition("@")[2].lower() for kind, value in known if kind == "email"}


# --- the manifest ---------------------------------------------------------------------------------------------------


def test_a_run_as_the_manifest_says_differs_in_nothing() -> None:
    shuffled = replace(EXPECTED, alerts=EXPECTED.alerts[::-1])
    assert [] == differences(EXPECTED, shuffled)


def test_what_is_missing_and_what_is_too_much_is_said_in_words() -> None:
    first, *others = EXPECTED.alerts
    found = replace(
        EXPECTED,
        customers=40,
        alerts=(*others, others[0], first._replace(state="resolved")),
        merges={},
        dead={"invalid-data": 1, "not-json": 2},
    )
    assert [
        "39 customers expected, 40 found",
        "missing: alert campaign-during-complaint of ada, fired, sent to marketing, service",
        "unexpected: alert campaign-during-complaint of ada, resolved, sent to marketing, service",
        "unexpected: alert dunning-during-dispute of ada, resolved, sent to finance",
        "missing: merge of ada",
        "unexpected: dead letter not-json (2 times)",
    ] == differences(EXPECTED, found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("customers: many\nmerges: {}\nalerts: []\ndead: {}", "invalid literal"),
        ("customers: 1\nmerges: {}\nalerts: [{rule: x}]\ndead: {}", "'of' is missing"),
        ("alerts: [", "while parsing"),
        ("", "NoneType"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "expected.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError, match=f"expected.yaml: .*{said}"):
        manifest.load(path)


def test_the_summary_counts_alerts_whatever_became_of_them_and_says_what_was_waited_for() -> None:
    summary = Summary(events=249, seconds=1.26, expected=EXPECTED, found=replace(EXPECTED, merges={}), late="3 events")
    assert {
        "ok": False,
        "events": 249,
        "customers": 39,
        "merges": 0,
        "alerts": {
            "campaign-during-complaint": 1,
            "contact-fatigue": 1,
            "dunning-during-dispute": 1,
            "upsell-moment": 1,
        },
        "states": {
            "campaign-during-complaint": {"fired": 1},
            "contact-fatigue": {"retracted": 1},
            "dunning-during-dispute": {"resolved": 1},
            "upsell-moment": {"fired": 1},
        },
        "dead": 1,
        "reasons": {"invalid-data": 1},
        "seconds": 1.3,
        "differences": ["out of time, waiting for 3 events", "missing: merge of ada"],
    } == summary.plain()


# --- the observed ----------------------------------------------------------------------------------------------------


def entry(customer: str, event: StoryEvent) -> tuple[str, bytes, bytes, dict[str, bytes]]:
    known = orjson.loads(event.value)["data"]["customer"]["identifiers"]
    return TIMELINE, f"{customer}/{event.uid}".encode(), orjson.dumps({"data": {"identifiers": known}}), {}


def alert(
    customer: str, state: str, department: str, alert_id: str = "a_1"
) -> tuple[str, bytes, bytes, dict[str, bytes]]:
    data = {"alertId": alert_id, "customerId": customer, "rule": "upsell-moment", "state": state}
    message = {"id": f"{alert_id}/{customer}/{state}/0-1", "data": data}
    return alerts_topic(department), customer.encode(), orjson.dumps(message), {}


def merge(customer: str, into: str) -> tuple[str, bytes, bytes, dict[str, bytes]]:
    return IDENTITIES, f"c/{customer}".encode(), orjson.dumps({"born": 1, "mergedInto": into, "version": 7}), {}


def test_alerts_of_others_on_the_cluster_do_not_count() -> None:
    observed = Observed(story(NOW, "mine"))
    observed.take(*entry("c_other", story(NOW, "theirs").day[0]))
    observed.take(*alert("c_other", "fired", "sales"))
    observed.take(*merge("c_another", "c_other"))
    observed.take(DEAD, b"", story(NOW, "theirs").day[0].value, {})
    assert [] == list(observed.news())
    assert (0, {}, (), {}) == _plain(observed)
    assert ["c_other"] == [
        news.data["customerId"] for news in observed.news(strangers=True) if isinstance(news, Alerted)
    ]


def test_an_alert_told_to_two_departments_is_one_and_waits_for_its_customer() -> None:
    told = story(NOW)
    ben = next(event for event in told.day if event.who == "ben")
    observed = Observed(told)
    observed.take(*alert("c_1", "fired", "sales"))
    observed.take(*alert("c_1", "fired", "service"))
    assert [] == list(observed.news())
    observed.take(*entry("c_1", ben))
    assert [EventArrived, Alerted] == [type(news) for news in observed.news()]
    assert (1, {}, (ExpectedAlert("upsell-moment", "ben", "fired", ("sales", "service")),), {}) == _plain(observed)


def test_what_is_retracted_for_a_merged_away_customer_stands_for_the_other() -> None:
    told = story(NOW)
    ada = [event for event in told.events if event.who == "ada"]
    observed = Observed(told)
    for record in (
        entry("c_new", ada[0]),
        entry("c_old", ada[1]),
        alert("c_new", "fired", "sales"),
        merge("c_new", "c_old"),
        alert("c_new", "retracted", "sales"),
        entry("c_old", ada[0]),
        alert("c_old", "updated", "sales"),
    ):
        observed.take(*record)
    merged = [news for news in observed.news() if isinstance(news, CustomersMerged)]
    assert [CustomersMerged("ada", ("Ada.Marsh@Example.com", "C-1042", "020 7946 0958"))] == merged
    assert (1, {"ada": 1}, (ExpectedAlert("upsell-moment", "ada", "updated", ("sales",)),), {}) == _plain(observed)


def test_a_dead_letter_is_told_once_and_is_missing_no_more() -> None:
    told = story(NOW)
    malformed = next(event for event in told.day if event.uid is None)
    observed = Observed(told)
    headers = {"__cxbus.errors.exception": b"invalid-data", "__cxbus.errors.message": b"data.total is wrong"}
    for _ in range(2):  # a crash can bury twice
        observed.take(DEAD, None, malformed.value, headers)
    assert [Died(malformed, "invalid-data", "data.total is wrong")] == list(observed.news())
    assert observed.has(malformed)
    assert len(told.events) - 1 == observed.missing
    assert (0, {}, (), {"invalid-data": 1}) == _plain(observed)


def _plain(observed: Observed) -> tuple[int, dict[str, int], tuple[ExpectedAlert, ...], dict[str, int]]:
    found = observed.outcome()
    return found.customers, dict(found.merges), found.alerts, dict(found.dead)


# --- what is remembered, and what is said ---------------------------------------------------------------------------


def test_a_data_directory_remembers_what_was_played_on_which_cluster(tmp_path: Path) -> None:
    run_record = RunRecord("cluster", NOW, "a", {"cx.dead.v1": [3]})
    run_record.save(tmp_path)
    assert run_record == remembered(tmp_path, "cluster")
    run_record.finished().save(tmp_path)
    assert run_record.finished() == remembered(tmp_path, "cluster")
    assert remembered(tmp_path, "another") is None
    for broken in ("", "{}", "[1]", '{"cluster": "cluster", "more": 1}'):
        (tmp_path / "demo.json").write_text(broken)
        assert remembered(tmp_path, "cluster") is None


def test_nothing_that_is_told_is_wider_than_a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    told = story(NOW)
    out = io.StringIO()
    narrator = Narrator(out)
    narrator.day(told)
    for event in told.day:
        narrator.tell(EventArrived(event))
    data: Mapping[str, Any] = {
        "alertId": "a_1",
        "rule": "contact-fatigue",
        "customer": {"name": "Cleo Winter"},
        "departments": ["finance", "marketing", "sales", "service"],
        "reason": "too many " * 20,
        "action": "be silent " * 20,
    }
    for state in ("fired", "updated", "resolved", "expired", "retracted"):
        narrator.tell(Alerted({**data, "state": state}))
    narrator.tell(CustomersMerged("ada", ("C-1042", "020 7946 0958")))
    narrator.tell(Died(told.day[-2], "invalid-data", "data.total is wrong, " * 20))
    lines = out.getvalue().splitlines()
    assert [] == [line for line in lines if len(line) > 100]
    assert "\033" not in out.getvalue()
    assert "         = Two customers turn out to be one, Ada Marsh:" in lines
    assert "         ! To finance, marketing, sales, service: Cleo Winter, contact-fatigue" in lines


def test_the_summary_is_json() -> None:
    summary = Summary(1, 0.1, EXPECTED, EXPECTED)
    assert summary.ok
    assert summary.plain() == json.loads(json.dumps(summary.plain()))


def test_a_demo_has_one_worker_unless_a_number_is_given() -> None:
    assert [1, 3] == [of_demo(Settings.model_validate({"workers": given})).workers for given in ("auto", 3)]
