"""Matches: the core's batch definition says what the rules' sentences say, and nothing but the history makes it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import moves, stored_alert
from agents.documents import Document, Documents
from core.alerts.alert import Alert
from core.alerts.history import CustomerHistory, EmptyHistory
from core.alerts.history import matches as core_matches
from core.alerts.message import message_for
from core.alerts.notification import first_notice
from core.rules.ruleset import RuleSet
from core.timeline import entry as core
from schemas.codec import Codec
from schemas.topics import NOTIFIED

from .bus import Bus
from .entry import FOREVER, D, Entry, History, uid_of
from .matches import matches
from .notification import FORGOTTEN_AFTER
from .rules import Rules
from .section_four import SECTION_FOUR
from .tally import compared
from .topics import PROFILES, TIMELINE
from .worlds import EXAMPLES, KNOWN_AS, RULES, SAME_WORLDS, histories

MS = 1_000
"""The broker's clock is exact to so many µs."""

Plain = tuple[str, str, int, int | None, list[tuple[str, dict[str, Any]]]]


def by_the_core(history: Sequence[Entry], rules: RuleSet = RULES) -> dict[str, Plain]:
    """Its matches in plain values, by id."""
    entries = [core.Entry(*entry) for entry in history]
    past = CustomerHistory(EmptyHistory(), "", entries, rules)
    alerts = [first_notice(match, historical=False) for match in core_matches(entries, rules)]
    told = [message_for("fired", alert, rules, past) for alert in alerts]
    return {
        a.id: (a.rule, a.key, a.time, a.end, [(uid_of(e["source"], e["id"]), e["values"]) for e in evidence])
        for a, evidence in ((said.alert, cast(Any, said.evidence)) for said in told)
    }


def by_the_oracle(history: Sequence[Entry], rules: Rules = SECTION_FOUR) -> dict[str, Plain]:
    """The same."""
    return {
        m.id: (
            m.rule,
            m.key,
            m.time,
            m.end if m.end < FOREVER else None,
            [(f.entry.uid, dict(f.values)) for f in m.evidence],
        )
        for m in matches(History(history), rules)
    }


@given(histories())
@settings(max_examples=4 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_matches_are_what_the_rules_sentences_say(history: list[Entry]) -> None:
    assert by_the_oracle(history) == by_the_core(history)
    compared("by their matches", len(history))


def heard(bus: Bus, history: Sequence[Entry], chance: random.Random) -> tuple[list[Entry], list[Alert]]:
    """The entries and alerts of the one customer whom this history is about, heard in some order and under several
    names, some of it twice, until all names are known to be one.
    """
    names = [{"type": kind, "value": value} for kind, value in KNOWN_AS[0][:3]]
    arriving = [*history, *chance.choices(history, k=len(history) // 5)]
    chance.shuffle(arriving)
    faces = {e.uid: chance.sample(names, chance.choice([1, 1, 2])) for e in history}
    for e in arriving:
        bus.publish(e.type.split(".")[0], said(e, faces[e.uid]), e.at + 30 * D)
        bus.work(chance.randrange(5))
    last = Entry(history[-1].at, "", "marketing.email.opened.v1", "w", "last", {"messageId": "m"})
    bus.publish("marketing", said(last, names), last.at + 30 * D)
    bus.finish()
    held = {r.key: r for r in bus.topics().of(TIMELINE)}
    entries = []
    for record in held.values():
        if record.value is not None and b'"last"' not in record.value:
            data = orjson.loads(record.value)["data"]
            event = data["event"]
            kept = {name: value for name, value in event["data"].items() if name != "customer"}
            uid = core.event_uid(event["source"], event["id"])
            entries.append(Entry(data["at"], uid, event["type"], event["source"], event["id"], kept))
    documents = {r.key: Document(r.value, dict(r.headers)["state"]) for r in bus.topics().of(PROFILES) if r.value}
    customers = [Documents(RULES).decode(document) for document in documents.values()]
    (living,) = [customer for customer in customers if customer.merged_into is None]
    put_away = {
        r.key: r.value for r in bus.topics().of(NOTIFIED) if (r.key or b"").startswith(f"{living.id}/".encode())
    }
    closed = [stored_alert.alert(value) for value in put_away.values() if value is not None]
    return sorted(entries, key=lambda e: (e.at, e.uid)), [*closed, *living.alerts]


def said(e: Entry, face: list[dict[str, str]]) -> bytes:
    """As its department publishes it."""
    return Codec.encode_structured(
        type=e.type, source=e.source, id=e.id, time=e.at, data={**e.data, "customer": {"identifiers": face}}
    )


@given(histories(), st.integers(0, 2**32), st.sampled_from([1, 3, 500]))
@settings(max_examples=EXAMPLES // 3, derandomize=SAME_WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_order_copies_and_merges_in_parts_change_no_match_and_every_match_is_notified_or_near_a_notified_one(
    history: list[Entry], seed: int, part: int
) -> None:
    wanted = by_the_oracle(history)
    with pytest.MonkeyPatch.context() as patch, Bus(seed) as bus:
        patch.setattr(moves, "MOVE_ENTRIES", part)
        entries, alerts = heard(bus, history, bus.chance)
        decided = bus.clock * 1000 - FORGOTTEN_AFTER
    assert history == entries
    assert wanted == by_the_core(entries)
    told = {a.id: (a.rule, a.key, a.time, a.end) for a in alerts if a.time > decided}
    assert told == {name: wanted[name][:4] for name in told}
    for name, (rule, key, time, _, _) in wanted.items():
        near = [
            (rule, key) == (r, k)
            and ((t <= time and (e is None or time < e)) or abs(t - time) < SECTION_FOUR[rule].cooldown)
            for r, k, t, e in told.values()
        ]
        assert time <= decided or name in told or any(near), name
    compared("on the bus, in any order", len(history))
