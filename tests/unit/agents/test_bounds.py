"""Bounds: whatever a customer goes through, the document and all that is written of them fits a record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from agents import documents, output_size
from agents.documents import Documents
from core.alerts.alert import Alert
from core.alerts.message import REASON_BYTES
from core.alerts.suppression import MOST_ALERTS, MOST_OF_A_RULE
from core.bounds import VALUE_BYTES
from core.customer.customer import MOST_IDENTIFIERS, MOST_SHOWN, Customer
from core.rules.conditions.condition import EVIDENCE_LIMIT, MATTER, Evidence
from core.rules.ruleset import RuleSet
from core.timeline.derived import Derived
from core.timeline.features import Ref
from core.timeline.matters import FIELDS, Matter, Matters
from schemas.codec import Codec
from schemas.refusal import Reason, Refusal
from schemas.topics import DEAD, PROFILES, alerts_topic

from .bench import (
    CODEC,
    MEMORY,
    RULES,
    Journal,
    advertise,
    complain,
    event,
    identifiers,
    largest,
    merge,
    minute,
    told_of,
)

LONG = "\x01" * 42 + "xxxx"
"""A text whose bytes as JSON are as many as a word may have."""


# --- what was tried on the bus ---------------------------------------------------------------------------------------


def test_a_name_that_is_too_long_is_refused_by_its_contract() -> None:
    told = event("sales.opportunity.created.v1", minute(0), opportunityId="O1", stage="x", name="n" * 250_000)
    refused = CODEC.decode("sales", told, [])
    assert isinstance(refused, Refusal)
    assert Reason.INVALID_DATA == refused.reason
    assert refused.message.startswith("data.name is a string of 250000 characters")
    assert refused.message.endswith("expected a string of 1 to 256 bytes as JSON.")


def test_a_campaign_in_spite_of_400_complaints_names_the_latest_twenty(journal: Journal) -> None:
    for number in range(400):
        complain(journal, "c", number)
    most = max(largest(advertise(journal, "c", number)) for number in range(400, 421))
    assert most < output_size.MOST_BYTES / 4
    fired = told_of(journal, "campaign-during-complaint")
    assert [21] * 21 == [len(alert["evidence"]) for alert in fired]
    values = [one["values"] for one in fired[0]["evidence"]]
    assert (["CASE-000380"], "CAMP-00400") == ([values[0]["caseId"]], values[-1]["campaignId"])


def test_hundreds_of_dunning_letters_in_a_dispute_are_told_fifty_times(journal: Journal) -> None:
    case = {"caseId": "K1", "category": "billing", "priority": "high"}
    journal.publish("c", event("service.case.opened.v1", minute(0), **case))
    for number in range(1, 300):
        told = event("finance.dunning.sent.v1", minute(number), number, invoiceId=f"INV-{number:07}", level=1)
        assert largest(journal.publish("c", told, "finance")) < output_size.MOST_BYTES / 4
    rules = [message["data"]["rule"] for message in journal.messages(alerts_topic("finance"))]
    assert MOST_OF_A_RULE == rules.count("dunning-during-dispute")
    assert 300 == journal.current(PROFILES)["c"]["entries"]


def test_a_merge_of_a_customer_with_large_records_fits(journal: Journal) -> None:
    for number in range(120):
        complain(journal, "young", number, notes="x" * 5000)
    for number in range(200, 255):
        advertise(journal, "young", number, body="y" * 5000)
    complain(journal, "old", 300)
    assert largest(merge(journal, "young", "old")) < output_size.MOST_BYTES
    assert 176 == journal.current(PROFILES)["old"]["entries"]


def test_of_thousands_of_identifiers_a_profile_lists_a_hundred_whatever_their_order(tmp_path: Path) -> None:
    listed = []
    for order in (1, -1):
        journal = Journal(tmp_path / str(order))
        for number in range(30)[::order]:
            known = [{"type": "device", "value": f"card {number:02}-{part:02}"} for part in range(100)]
            told = event("web.page.viewed.v1", minute(number), number, url="u", customer={"identifiers": known})
            journal.publish("c", told, "web")
        listed.append(journal.current(PROFILES)["c"]["identifiers"])
        journal.close()
    assert listed[0] == listed[1]
    assert MOST_IDENTIFIERS == len(listed[0])


# --- at real size ----------------------------------------------------------------------------------------------------


def long_event(kind: str, day: int, number: int, who: str, **data: Any) -> bytes:
    """All its texts are as long as they may be."""
    parts = 1 if number else 100
    known = [{"type": f"{part:02}" + '"' * 31, "value": f"{who}{part:02}@" + "d" * 400} for part in range(parts)]
    customer = {"identifiers": known, "name": LONG}
    time = (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=day, seconds=number)).isoformat()
    name = f"{who}-{day:02}-{number:04}-"
    return Codec.encode_structured(
        type=kind, source='"' * 256, id=name + '"' * 240, time=time, data={**data, "customer": customer}
    )


def long_story(who: str) -> Iterator[tuple[str, bytes]]:
    """Cases and opportunities that nobody closes, campaigns and dunning letters in spite of them, three times."""
    for day in (0, 16, 32):
        for number in range(60):
            name = f"{who}{day:02}{number:03}" + LONG[:-9]
            category = "complaint" if number < 30 else "billing"
            case = {"caseId": name, "category": category, "priority": LONG}
            yield "service", long_event("service.case.opened.v1", day, number, who, **case)
            told = {"opportunityId": name, "name": LONG, "stage": LONG}
            yield "sales", long_event("sales.opportunity.created.v1", day, number + 100, who, **told)
        for number in range(60):
            name = f"{who}{day:02}{number:03}" + LONG[:-9]
            sent = {"campaignId": name, "channel": LONG}
            yield "marketing", long_event("marketing.campaign.sent.v1", day, number + 200, who, **sent)
            dunned = {"invoiceId": name, "level": 2**53 - 1}
            yield "finance", long_event("finance.dunning.sent.v1", day, number + 300, who, **dunned)


@pytest.mark.faults
def test_customers_who_are_driven_to_every_limit_and_merged_always_fit() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        journal = Journal(Path(folder))
        largest_of = dict.fromkeys(("old", "young"), 0)
        for who in largest_of:
            for department, value in long_story(who):
                largest_of[who] = max(largest_of[who], largest(journal.publish(who, value, department)))
            known = journal.known(who)
            assert MOST_ALERTS == len(known.alerts) + known.archived
            assert known.decided_until > 0
        merged = largest(merge(journal, "young", "old"))
        after = largest(journal.publish("old", event("web.page.viewed.v1", minute(0), url="u"), "web"))
        known = journal.known("old")
        assert MOST_ALERTS == len(known.alerts) + known.archived
        assert DEAD not in {topic for topic, _ in journal.logs}
        assert 400_000 < max(*largest_of.values(), merged, after) <= output_size.MOST_BYTES
        journal.close()


# --- the largest there can be ----------------------------------------------------------------------------------------


def largest_alert(number: int) -> Alert:
    where = (("w" * 60, "v" * 61),)
    found = [Evidence(Ref(2**52 + place, bytes(16)), where, MATTER) for place in range(EVIDENCE_LIMIT + 1)]
    return Alert(
        "r" * 64, LONG, "event", number.to_bytes(16, "big"), time=2**52, end=2**52, expires=2**52, version=2**31,
        severity="critical", departments=("d" * 32,) * 10, digest="f" * 8, historical=True, standing=True, carried=True,
        evidence=tuple(found),
    )  # fmt: skip


def largest_customer(matters: int) -> Customer:
    """At all bounds: texts, identifiers, alerts that stand and are explained, open matters."""
    states = [*RULES.empty]
    for place, feature in RULES.matters:
        facts = (LONG,) * len(feature.fields)
        assert len(facts) >= len(FIELDS[feature.entity])
        found = {
            f"{LONG[:-4]}{number:04}": Matter(True, Ref(2**52 + number, bytes(16)), True, facts)
            for number in range(matters)
        }
        states[place] = Matters(found, {})
    return replace(
        Documents(RULES).new("c_" + "f" * 26),
        derived=Derived(2**52, tuple(states)),
        is_new=False,
        name=LONG,
        name_at=2**52,
        identifiers=[("t" * 120, f"{number:03}" + "v" * 600) for number in range(MOST_IDENTIFIERS)],
        last_contact={"d" * 30 + str(number): 2**52 for number in range(9)},
        entries=10**9,
        appended=2**52,
        until=2**52,
        alerts=[largest_alert(number) for number in range(MOST_ALERTS)],
        decided_until=2**52,
        arriving={f"c_{number:026}/{2**52}": 2**31 for number in range(500)},
    )


@pytest.mark.parametrize("matters", [100, 3_000])
def test_the_largest_customer_that_there_can_be_fits_a_record_and_so_do_the_alerts_on_their_way(matters: int) -> None:
    customer = largest_customer(matters)
    document = Documents(RULES).encode(customer, "c_" + "f" * 60)
    again = Documents(RULES).decode(document)
    assert (matters == 100) == (again.derived is not None), "what is derived is left out when it is large"
    assert customer.alerts == again.alerts
    assert MOST_SHOWN == len(orjson.loads(document.profile)["data"]["open"])
    assert 700_000 < len(document.stored()) <= min(output_size.MOST_BYTES, documents.bytes_at_most(customer))
    assert len(msgspec.json.encode(customer.alerts)) <= output_size.MOST_BYTES
    assert REASON_BYTES >= len(orjson.dumps(LONG * 4)) - 2


@pytest.mark.parametrize("field", ["channel", "extra"])
def test_what_a_rule_names_of_an_event_is_told_up_to_its_bound(tmp_path: Path, field: str) -> None:
    told = replace(RULES.rules["campaign-during-complaint"], key=field, reason=f"It is {{{field}}}.")
    journal = Journal(tmp_path, RuleSet({**RULES.rules, told.name: told}.values(), RULES.vocabulary))
    complain(journal, "c", 0)
    value: Any = LONG if field == "channel" else {"a": ["x" * 100_000]}
    data = {"campaignId": "S1", "channel": "email", field: value, "customer": {"identifiers": identifiers(0, 0)}}
    sent = Codec.encode_structured(type="marketing.campaign.sent.v1", source="/test", id="1", time=minute(1), data=data)
    journal.publish("c", sent, "marketing")
    (alert,) = told_of(journal, "campaign-during-complaint")
    assert len(orjson.dumps(alert["instanceKey"])) - 2 <= VALUE_BYTES
    assert len(orjson.dumps(alert["reason"])) - 2 <= REASON_BYTES
    assert (LONG if field == "channel" else "…") == alert["evidence"][-1]["values"][field]
    journal.close()
