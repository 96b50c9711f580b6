"""A customer's record: written down and read again, of any form, and what is no record of a customer's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import documents
from agents.documents import SCHEMA, Document, Documents, OtherVersion, head
from core.customer.arrival import Arrived
from core.customer.customer import Customer
from core.customer.step import Merge, Moved
from core.rules.ruleset import RuleSet
from core.timeline.derived import Derived
from core.timeline.entry import DAY, HOUR, Entry
from core.timeline.features import Feature, Ref
from core.timeline.matters import Matter, Matters

from ..core.bench import CLOCK, RULES, START, Bus, arrived, campaign, complaint, entry

CODEC = Documents(RULES)
BILL = {"invoiceId": "I1", "total": "10.00", "currency": "EUR"}
TOLD: list[tuple[str, dict[str, Any]]] = [
    ("service.case.opened.v1", {"caseId": "K1", "category": "complaint", "customer": {"name": 'Zoë "Z" O\'Neil'}}),
    ("service.case.opened.v1", {"caseId": "K2", "category": "billing"}),
    ("service.case.opened.v1", {"caseId": "K3"}),
    ("service.case.resolved.v1", {"caseId": "K1"}),
    ("service.case.resolved.v1", {"caseId": "K9"}),
    ("service.feedback.submitted.v1", {"metric": "nps", "value": 10}),
    ("service.conversation.ended.v1", {"direction": "inbound"}),
    ("finance.invoice.issued.v1", {**BILL, "dueDate": "2026-03-09"}),
    ("finance.invoice.overdue.v1", {**BILL, "total": None}),
    ("finance.payment.received.v1", {**BILL, "paymentId": "P1", "total": "4.00"}),
    ("finance.payment.disputed.v1", {**BILL, "paymentId": "P1"}),
    ("finance.credit.issued.v1", {**BILL, "creditId": "C1", "total": "6.00"}),
    ("finance.dunning.sent.v1", {"invoiceId": "I1", "level": 1}),
    ("sales.opportunity.created.v1", {"opportunityId": "O1", "stage": "offered", "name": "\x01ü"}),
    ("sales.opportunity.stage_changed.v1", {"opportunityId": "O1", "stage": "won"}),
    ("sales.call.completed.v1", {"callId": "L1", "direction": "outbound", "outcome": "no_answer"}),
    ("marketing.campaign.sent.v1", {"campaignId": "S1", "channel": "email"}),
    ("marketing.campaign.sent.v1", {"campaignId": "S2", "channel": "email"}),
    ("web.page.viewed.v1", {"url": "u"}),
    ("nobody.knows.v1", {"x": 1}),
    ("bus.alert.acknowledged.v1", {"alertId": "a_1", "customerId": "c"}),
]
STORY = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(TOLD), st.integers(0, 100)), min_size=1, max_size=14)


@given(STORY, st.integers(0, 14))
@settings(max_examples=150, deadline=None)
def test_whatever_a_customer_went_through_is_written_down_and_read_again(
    story: list[tuple[int, tuple[str, dict[str, Any]], int]], moved: int
) -> None:
    """Events in any order; the first ones came with a move, of which a part may be missing."""
    bus = Bus(kept=True)
    records = [
        Arrived(entry(START + hours * HOUR, *told, number), START + hours * HOUR, (("email", f"{number}\x02"),))
        for number, (hours, told, _) in enumerate(story)
    ]
    if moved:
        bus.arrive("c", Moved("b/1", 1 + moved % 2, tuple(records[:moved]), arriving={"d/4": 2} if moved > 9 else {}))
    for record, (_, _, days) in zip(records[moved:], story[moved:], strict=True):
        bus.arrive("c", record, CLOCK + days * DAY)
        check(bus.customer("c"))
    check(bus.customer("c"))


def check(customer: Customer) -> None:
    document = CODEC.encode(customer, "m")
    again = CODEC.decode(Document.parse(document.stored()))
    assert replace(customer, is_new=False, ends_at=again.ends_at, archives_at=again.archives_at) == again
    assert document == CODEC.encode(again, "m")
    assert (customer.id, customer.appended, customer.alerts) == head(document)


def test_a_redirect_is_read_and_written_again() -> None:
    bus = Bus()
    bus.arrive("c_1", arrived(complaint(START)), START)
    bus.arrive("c_1", Merge("c_0", 7), START + 1)
    document = bus.documents["c_1"]
    again = CODEC.decode(document)
    assert ("c_0", 7, START + 1) == (again.merged_into, again.version, again.appended)
    assert document == CODEC.encode(again, "")
    assert {"customerId": "c_1", "identifiers": [], "mergedInto": "c_0"} == orjson.loads(document.profile)["data"]


def test_a_document_keeps_for_each_matter_no_more_than_is_told_or_asked() -> None:
    bus = Bus()
    issued = entry(START, "finance.invoice.issued.v1", {**BILL, "dueDate": "2026-03-09", "more": "x" * 200}, 1)
    bus.arrive("c", arrived(issued))
    (shown,) = orjson.loads(bus.documents["c"].profile)["data"]["open"]
    assert {
        "entity": "invoice", "id": "I1", "since": "2026-03-02T00:00:00Z",
        "currency": "EUR", "dueDate": "2026-03-09", "total": "10.00",
    } == shown  # fmt: skip
    assert b"xxx" not in bus.documents["c"].state


def many_open(number: int) -> Customer:
    """A customer of so many open cases."""
    (place,) = [place for place, feature in RULES.matters if feature.entity == "case"]
    cases = {f"K{one}": Matter(True, Ref(START + one, bytes(16)), True, ("complaint",)) for one in range(number)}
    states = [*RULES.empty]
    states[place] = Matters(cases, {})
    return replace(CODEC.new("c"), derived=Derived(START + number, tuple(states)), is_new=False)


def test_what_takes_too_much_room_is_left_out_and_the_profile_stays_as_it_is() -> None:
    customer = many_open(9_000)
    document = CODEC.encode(customer, "m")
    assert len(msgspec.msgpack.encode(customer.derived)) > documents.STATE_BYTES > 20_000 > len(document.state)
    again = CODEC.decode(document)
    assert again.derived is None
    assert (9_000, 100) == (orjson.loads(CODEC.brief(again))["openCount"], len(again.published_matters[0]))
    assert document == CODEC.encode(again, "m")
    assert replace(customer, derived=None, published_matters=again.published_matters) == again


def test_under_other_rules_nothing_is_derived_and_the_profile_stays_as_it_is() -> None:
    bus = Bus()
    for made in (complaint(START), campaign(START + HOUR)):
        bus.arrive("c", arrived(made), made.at)
    document = bus.documents["c"]
    other = Documents(RuleSet([RULES.rules["contact-fatigue"]], RULES.vocabulary))
    customer = other.decode(document)
    assert customer.derived is None
    assert document.profile == other.encode(customer, "").profile
    assert CODEC.decode(document).alerts == customer.alerts


# --- what others wrote ------------------------------------------------------------------------------------------------


def written() -> Document:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)), START)
    return bus.documents["c"]


FORMER = orjson.dumps(
    {
        "specversion": "1.0",
        "id": "c_1/0-7",
        "source": "/cxbus",
        "type": "bus.profile.updated.v1",
        "time": "2026-03-02T00:00:00Z",
        "data": {
            "customerId": "c_1",
            "name": "Ada",
            "identifiers": [],
            "entries": 1,
            "open": [],
            "openCount": 0,
            "lastContact": {},
            "standing": [],
            "state": {
                "schema": 3, "plan": "068b5577", "nameAt": 1, "contactAt": {}, "lastAt": 1, "ruleAt": 1, "clock": 1,
                "streams": {}, "settled": "", "since": 1, "alerts": [], "closed": [], "settledUntil": -1,
                "arriving": {}, "unjudged": False,
            },
        },
    }
)  # fmt: skip
"""A profile as versions before this one wrote it, with the state inside."""

FORMER_REDIRECT = orjson.dumps(
    {"data": {"customerId": "c_1", "mergedInto": "c_0", "state": {"schema": 3, "clock": 1, "version": 7}}}
)


@pytest.mark.parametrize("profile", [FORMER, FORMER_REDIRECT])
def test_a_profile_of_an_earlier_version_is_refused_by_its_number(profile: bytes) -> None:
    for read in (head, CODEC.decode):
        with pytest.raises(OtherVersion, match=rf"a state of version 3; this version of the bus knows {SCHEMA}"):
            read(Document(profile, b""))


@pytest.mark.parametrize("more", [[], ["x", {}], [-1]])
def test_a_profile_of_a_later_version_is_refused_by_its_number(more: list[object]) -> None:
    state = msgspec.msgpack.encode([SCHEMA + 1, *more])
    for read in (head, CODEC.decode):
        with pytest.raises(OtherVersion, match=rf"a state of version {SCHEMA + 1}; "):
            read(Document(b"{}", state))


PLAIN: list[Any] = msgspec.msgpack.decode(written().state)


def forged(place: int, value: object) -> bytes:
    return msgspec.msgpack.encode([*PLAIN[:place], value, *PLAIN[place + 1 :]])


NO_STATES = [
    *(b"no message pack", b"\xc1", b"\x94\x04", msgspec.msgpack.encode({"schema": SCHEMA}), msgspec.msgpack.encode([])),
    *(msgspec.msgpack.encode(["4", 1]), msgspec.msgpack.encode([SCHEMA]), b"\x91" * 100_000),
    *(forged(0, None), forged(1, "now"), forged(1, None), forged(1, 1.5)),
]


@pytest.mark.parametrize("state", NO_STATES)
def test_what_no_version_writes_as_a_state_is_no_profile(state: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        head(Document(written().profile, state))


@pytest.mark.parametrize(
    "profile",
    [b"", b"no JSON", b"{}", b"[]", b'{"data":{}}', b'{"data":{"state":7}}', b'{"data":{"state":{"schema":"3"}}}'],
)
def test_a_profile_without_any_state_is_none(profile: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        head(Document(profile, b""))


@pytest.mark.parametrize(
    ("place", "value"),
    [(10, 7), (10, [[1]]), (10, [["rule"] * 15]), (13, {"a": "b"}), (14, "no"), (4, 7)],
)
def test_a_state_that_is_forged_behind_its_head_is_none(place: int, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        head(Document(written().profile, forged(place, value)))


@pytest.mark.parametrize("value", [7, [1], [1, [1, 2, 3]], [START, [{"K1": [True]}, {}, {}]]])
def test_what_is_derived_and_can_not_be_read_is_folded_again(value: object) -> None:
    document = Document(written().profile, forged(5, value))
    assert START == head(document).appended
    assert CODEC.decode(document).derived is None


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_bytes_of_any_kind_are_another_version_or_no_state(junk: bytes, place: int, other: bytes) -> None:
    good = written()
    flipped = good.state[: place % len(good.state)] + other + good.state[place % len(good.state) + len(other) :]
    for document in (Document(good.profile, junk), Document(junk, b""), Document(good.profile, flipped)):
        try:
            CODEC.decode(document)
        except (OtherVersion, ValueError, RecursionError):
            continue
        assert flipped == document.state, "it happens to be one"


def test_both_parts_are_stored_as_one_value_and_parted_again() -> None:
    for document in (written(), Document(b"", b""), Document(b"{}", b"x" * 70_000)):
        assert document == Document.parse(document.stored())


def test_an_entry_that_stands_in_no_derived_state_costs_no_byte_of_it() -> None:
    bus = Bus()
    bus.arrive("c", arrived(complaint(START)))
    before = len(bus.documents["c"].state)
    for number in range(50):
        bus.arrive("c", arrived(Entry(START + number, f"{number:032x}", "web.page.viewed.v1", "w", "x", {"url": "u"})))
    assert len(bus.documents["c"].state) <= before + 40


def test_every_kind_of_feature_has_bytes_also_one_that_no_built_in_rule_asks_for() -> None:
    kinds = {one.__name__ for one in Feature.__subclasses__()}  # by name: of a class with slots there are two
    assert kinds == {one.__name__ for one in documents._STATES}
