"""Records with the bus's mark that no bus wrote: they cost themselves, never the worker, and nothing spreads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from agents import stored_alert
from agents.directory import Directory
from agents.documents import STATE, Document, Documents
from agents.record_forms import journal_form, links_form
from core.alerts.alert import Alert
from core.alerts.suppression import MOST_ALERTS
from core.identity.links import Node, root
from core.timeline.entry import DAY
from engine.kafka.mark import MARK as OURS
from engine.transactional.transaction import Output
from engine.transactional.unit import decided
from schemas.journal import EVENT, MERGE, MOVED, NODES, ORDER, Header
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS, NOTIFIED, PROFILES, TIMELINE, alerts_topic, partition_of

from .bench import IDENTIFIERS, MARK, PARTITIONS, RULES, Journal, event, record
from .test_documents import NO_STATES, forged
from .test_intake import NOW, House

PLACE = partition_of("c_1", PARTITIONS)
OPENED = event("service.case.opened.v1", "2026-11-17T09:00:00Z", caseId="K1", category="complaint", priority="high")
KNOWN: dict[str, Any] = {
    "form": 1,
    "kind": "event",
    "uid": bytes(16),
    "time": 1_795_000_000_000_000,
    "received": 1_795_000_000_000_000,
    "origin": "cx.service.events.v1/0/7",
    "replay": False,
}


ALERT = Alert("no rule", "", "event", bytes(16), 1, 2, None, 1, "high", ("sales",), "d", standing=False, carried=True)


def known(*more: object, **changed: object) -> Header:
    """The header of an event, or one that somebody made up."""
    return EVENT, msgspec.msgpack.encode([*{**KNOWN, **changed}.values(), *more])


GOOD = known()


FORGED: list[tuple[tuple[str, bytes | None], ...]] = [
    (known(origin="x/0/1"),),
    (known(origin='cx.a"b.events.v1/0/1'),),
    (known(origin="cx." + "a" * 100_000 + ".events.v1/0/1"),),
    (known(origin="cx.service.events.v1/0/-1"),),
    (known(origin="cx.service.events.v1/0/1\n"),),
    (known(origin=b"cx.service.events.v1/0/1"),),
    (known(uid='0"0'),),
    (known(uid=bytes(15)),),
    (known(uid=bytes(1_000_000)),),
    (known(time=-1),),
    (known(time=2**64 - 1),),
    (known(time="1795000000000000"),),
    (known(received=1.0),),
    (known(received=True),),
    (known(received=None),),
    (known(received=9 * 10**17),),
    (known(kind="of-nobody"),),
    (known(kind="moved"),),
    (known(form=2),),
    (known(replay=1),),
    (known(1),),
    ((EVENT, GOOD[1] + b"\x00"),),
    ((EVENT, GOOD[1][:-9]),),
    ((EVENT, b"\xdd\xff\xff\xff\xff"),),
    ((EVENT, b"\x91" * 100_000),),
    ((EVENT, b"event"),),
    ((EVENT, b""),),
    ((EVENT, None),),
    (("kind", b"event"),),
    (GOOD, ("kind", MERGE)),
    (GOOD, ("more", None)),
    (GOOD, ("more", b"x" * 1_000_000)),
    (GOOD, GOOD),
    ((EVENT, b"x" * 1_700_000), GOOD),
]
FORGED_IDS = [str(number) for number in range(len(FORGED))]


@pytest.mark.parametrize("forged", FORGED, ids=FORGED_IDS)
def test_a_journal_record_with_a_forged_header_is_a_foreign_one(journal: Journal, forged: tuple[Header, ...]) -> None:
    (letter,) = journal.tell("c_1", OPENED, (*forged, OURS))
    assert (DEAD, b"foreign-record") == (letter.topic, dict(letter.headers)["__cxbus.errors.exception"])
    assert {} == journal.current(PROFILES)


@pytest.mark.parametrize("forged", FORGED, ids=FORGED_IDS)
def test_a_links_record_with_a_forged_header_is_a_foreign_one(tmp_path: Path, forged: tuple[Header, ...]) -> None:
    house = House(tmp_path)
    headers = (*forged, (NODES, orjson.dumps([["email", "0" * 32]])), OURS)
    outputs = decided(house.resolver, [record(LINKS, 0, 0, OPENED, None, headers)])
    letters = [one for one in outputs if one.topic != IDENTITIES]
    assert [(DEAD, b"foreign-record")] == [
        (one.topic, dict(one.headers)["__cxbus.errors.exception"]) for one in letters
    ]


@pytest.mark.parametrize(
    ("nodes", "value"),
    [
        ([["email", "0" * 1_300_000]], OPENED),
        ([["email", 'x"y']], OPENED),
        ([["email", 7]], OPENED),
        ([[["email"], "0" * 32]], OPENED),
        ([["e" * 5_000, "0" * 32]], OPENED),
        ([["email", "0" * 32]] * 10_000, OPENED),
        ({"a": 1}, OPENED),
        ([["email", "0" * 32]], OPENED + b" " * 1_600_000),
    ],
)
def test_links_of_forged_nodes_or_of_too_large_an_event_are_not_of_our_form(nodes: Any, value: bytes) -> None:
    headers = (GOOD, (NODES, orjson.dumps(nodes)), OURS)
    assert not links_form(record(LINKS, 0, 0, value, None, headers))
    headers = (GOOD, (NODES, orjson.dumps([["email", "0" * 32]])), OURS)
    assert links_form(record(LINKS, 0, 0, OPENED, None, headers))


@pytest.mark.parametrize("key", [b"", b"\xff", b'c_"1', b"c_1/x", b"c" * 1_000_000, None])
def test_a_journal_record_under_no_customers_key_is_a_foreign_one(journal: Journal, key: bytes | None) -> None:
    made = journal.append(Output(JOURNAL, PLACE, key, OPENED, (GOOD, OURS)))
    assert [DEAD] == [one.topic for one in journal.run([made])]


@pytest.mark.parametrize(
    "order", [{"into": "c_1", "version": 1}, {"into": 'c"', "version": 1}, {"into": "c_2", "version": 1.5}, {}, [], 7]
)
def test_an_order_to_merge_that_nobody_gives_is_a_foreign_record(journal: Journal, order: object) -> None:
    journal.tell("c_1", OPENED, [GOOD])
    outputs = journal.tell("c_1", orjson.dumps(order), ((ORDER, MERGE), OURS))
    assert [DEAD] == [one.topic for one in outputs]


def move(**forged: Any) -> bytes:
    entry = {
        "uid": "1" * 32,
        "time": 1,
        "received": 1,
        "origin": "cx.service.events.v1/0/1",
        "event": orjson.loads(OPENED),
    }
    plain = {
        "move": "c_2/1", "parts": 1, "entries": [entry], "alerts": [], "arriving": {}, "settledUntil": -1, "until": -1
    }  # fmt: skip
    for name, value in forged.items():
        (plain if name in plain else entry)[name] = value
    return orjson.dumps(plain)


def told(departments: list[str], uid: str = "AQEBAQEBAQEBAQEBAQEBAQ==", time: int = 1) -> list[object]:
    """An alert on its way, of a rule that nobody has loaded: its end is said at once."""
    return ["no rule", "", "event", uid, time, None, None, 1, "high", departments, "d"]


@pytest.mark.parametrize(
    "forged",
    [
        {"move": "x" * 1_500_000},
        {"arriving": {"x" * 1_500_000: 1}},
        {"uid": 'a"b'},
        {"origin": "x/0/1"},
        {"time": -1},
        {"received": 10**18},
        {"parts": "two"},
        {"alerts": [{"id": "a"}]},
        {"alerts": [["rule", "key"]]},
        {"alerts": [["rule", "", "event", "no base64", 1, None, None, 1, "high", [], ""]]},
        {"alerts": [told(["a/b"])]},
        {"alerts": [told(["x" * 65])]},
        {"alerts": [told(["sales", "sales"])]},
        {"alerts": [told(["sales"])] * (MOST_ALERTS + 1)},
        {"alerts": [told([f"d{number}" for number in range(1_000)])]},
        {"alerts": [told(["sales"], uid="MTIz")]},
        {"alerts": [told(["sales"], time=-1)]},
        {"alerts": [told(["sales"], time=10**18)]},
        {"until": "x"},
        {"parts": -1},
    ],
)
def test_a_forged_part_of_a_move_costs_itself_only(journal: Journal, forged: dict[str, Any]) -> None:
    outputs = journal.tell("c_1", move(**forged), ((ORDER, MOVED), OURS))
    assert [DEAD] == [one.topic for one in outputs if one.topic != PROFILES]
    assert [] == journal.journey(PLACE).restore(journal.logs.get((PROFILES, PLACE), []))
    assert [TIMELINE, PROFILES] == [one.topic for one in journal.tell("c_1", OPENED, [GOOD])][:2]


def test_only_departments_that_are_told_of_alerts_are_told(journal: Journal) -> None:
    outputs = journal.tell("c_1", move(alerts=[told(["nobody", "sales"])]), ((ORDER, MOVED), OURS))
    assert {alerts_topic("sales"), TIMELINE, PROFILES} == {one.topic for one in outputs}


@pytest.mark.parametrize(
    ("key", "departments"),
    [
        ("c_1/a_1", ("sales",)),
        ("c_1/{0.id}/", ("sales",)),
        ("{0.id}", ("sales",)),
        ("/{0.id}", ("sales",)),
        ("c_1/{0.id}", ("a/b",)),
        ("c_1/{0.id}", ("sales",) * 2),
    ],
)
def test_a_closed_alert_under_another_key_or_for_nobody_is_a_foreign_record(
    journal: Journal, key: str, departments: tuple[str, ...]
) -> None:
    forged = ALERT._replace(departments=departments)
    made = record(NOTIFIED, PLACE, 0, stored_alert.stored(forged), key.format(forged).encode(), [OURS])
    right = record(NOTIFIED, PLACE, 1, stored_alert.stored(ALERT), f"c_1/{ALERT.id}".encode(), [OURS])
    assert [made] == journal.journey(PLACE).restore([made, right])


def test_a_document_that_forged_alerts_make_too_large_is_not_written(journal: Journal) -> None:
    """The part is buried whole: an entry on the timeline that no profile knows of would be worse."""
    alert = ["r" * 1_500_000, "k", "event", "AAAAAAAAAAAAAAAAAAAAAA==", 1, None, None, 1, "high", ["sales"], "d"]
    outputs = journal.tell("c_1", move(alerts=[alert]), ((ORDER, MOVED), OURS))
    assert [DEAD, PROFILES] == [one.topic for one in outputs]
    assert all(one.value is None or len(one.value) <= 1_400_000 for one in outputs)


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (TIMELINE, b"c_1/" + b"0" * 32, b'{"at":-1,}'),
        (TIMELINE, b"c_1/" + b"0" * 32, b'{"at":1000000000000000000000000000000,}'),
        (PROFILES, b"c_1", b"no JSON"),
        (PROFILES, b"c_1", b'{"data":{"state":{"clock":' + b"[" * 100_000 + b"}}}"),
        (PROFILES, b"c_1", b'{"more":' + b"[" * 100_000 + b"}"),
    ],
)
def test_what_can_be_no_state_is_passed_over_when_it_is_restored(
    journal: Journal, topic: str, key: bytes, value: bytes
) -> None:
    made = record(topic, PLACE, 0, value, key, [OURS])
    assert [made] == journal.journey(PLACE).restore([made])
    journal.journey(PLACE).opened(MARK)
    assert [TIMELINE, PROFILES] == [one.topic for one in journal.tell("c_1", OPENED, [GOOD])]


@pytest.mark.parametrize("state", [*NO_STATES, forged(1, 2**63)])
def test_a_profile_with_a_forged_state_is_passed_over_when_it_is_restored(journal: Journal, state: bytes) -> None:
    made = record(PROFILES, PLACE, 0, b"{}", b"c_1", [(STATE, state), OURS])
    assert [made] == journal.journey(PLACE).restore([made])
    journal.journey(PLACE).opened(MARK)
    assert [TIMELINE, PROFILES] == [one.topic for one in journal.tell("c_1", OPENED, [GOOD])]


def profile(customer: str, **forged: Any) -> Document:
    """A profile as the bus writes it, but for what is forged."""
    documents = Documents(RULES)
    return documents.encode(replace(documents.new(customer), appended=NOW * 1000, **forged), "m")


@pytest.mark.parametrize(
    "document",
    [
        profile("c_3"),
        profile("c_1", merged_into="c_2")._replace(profile=profile("c_3", merged_into="c_2").profile),
        profile("c_1", alerts=[ALERT._replace(departments=("a/b",))]),
        profile("c_1", alerts=[ALERT._replace(departments=("sales",) * 2)]),
        profile("c_1", alerts=[ALERT] * (MOST_ALERTS + 1)),
        profile("c_1", alerts=[ALERT._replace(time=-1)]),
        profile("c_1")._replace(state=forged(1, 253_402_300_800_000_000)),
    ],
)
def test_a_profile_that_contradicts_its_key_or_that_nobody_can_be_told_is_a_foreign_record(
    journal: Journal, document: Document
) -> None:
    right = profile("c_1", alerts=[ALERT])
    made = [
        record(PROFILES, PLACE, number, one.profile, b"c_1", [(STATE, one.state), OURS])
        for number, one in enumerate((right, document))
    ]
    assert made[1:] == journal.journey(PLACE).restore(made)
    assert right.stored() == journal.journey(PLACE)._archive.profile("c_1")


@pytest.mark.parametrize(
    ("timestamp", "reached"),
    [(NOW, NOW * 1000), (NOW - 86_400_000, NOW * 1000), (NOW - 86_400_001, 0), (0, NOW * 1000)],
)
def test_the_clock_of_a_profile_that_is_far_ahead_of_its_own_record_is_not_believed(
    journal: Journal, timestamp: int, reached: int
) -> None:
    document = profile("c_1")
    headers = [(STATE, document.state), OURS]
    made = record(PROFILES, PLACE, 0, document.profile, b"c_1", headers, timestamp)
    journey = journal.journey(PLACE)
    assert [] == journey.restore([made])
    journey.opened(MARK)
    assert reached == journey._archive.clock
    assert document.stored() == journey._archive.profile("c_1")


def test_a_forged_identity_does_not_stop_the_directory(tmp_path: Path) -> None:
    directory = Directory("", IDENTIFIERS, tmp_path / "directory")
    forged = [
        (b"c/\xff", b'{"born":1,"mergedInto":"c_2"}'),
        (b"i/" + b"0" * 32, b'{"id":"c_1","mergedInto":7}'),
        (b"c/c_1", b'{"born":1,"x":{"mergedInto":7}}'),
        (b"c/c_1", b'{"born":-1}'),
        (b"c/c_1", b'{"born":1,"mergedInto":"c_1","version":1}'),
        (b"i/" + b"x" * 1_000_000, b'{"id":"c_1"}'),
        (b"#key", b'{"fingerprint":7}'),
    ]
    directory.learn([record(IDENTITIES, 0, n, value, key, [OURS]) for n, (key, value) in enumerate(forged)], MARK)
    assert directory.customer([Node("email", "0" * 32)]) is None
    assert directory.today("c_1") is None
    directory.close()


def test_merges_that_are_forged_into_a_circle_end_somewhere() -> None:
    assert root("c_1", {"c_1": "c_2", "c_2": "c_3", "c_3": "c_2"}.get) in {"c_2", "c_3"}


def test_what_the_bus_writes_is_of_its_form() -> None:
    assert journal_form(record(JOURNAL, PLACE, 0, OPENED, b"c_1", (known(replay=True), OURS)))
    assert journal_form(record(JOURNAL, PLACE, 0, move(), b"c_1", ((ORDER, MOVED), OURS)))


def test_the_record_of_the_key_is_written_again_behind_a_foreign_one_that_would_outlive_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    intruder = record(IDENTITIES, 0, 9, b'{"fingerprint":"x"}', b"#key")
    assert [DEAD] == [one.topic for one in house.resolver.foreign([intruder])]
    first = decided(house.resolver, [])
    house.resolver.committed(MARK)
    (letter, again) = house.resolver.foreign([intruder])
    assert (DEAD, tuple(first)) == (letter.topic, (again,))


def test_a_profile_that_is_too_large_to_be_written_again_costs_its_own_customer_only(journal: Journal) -> None:
    document = profile("c_1", name="x" * 1_410_000)
    made = record(PROFILES, PLACE, 0, document.profile, b"c_1", [(STATE, document.state), OURS])
    assert [] == journal.journey(PLACE).restore([made])
    journal.journey(PLACE).opened(MARK)
    other = next(name for name in map("c_{}".format, range(2, 99)) if partition_of(name, PARTITIONS) == PLACE)
    nameless = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
    told = event("service.case.opened.v1", "2026-11-17T09:00:00Z", caseId="K1", category="other", customer=nameless)
    unit = [Output(JOURNAL, PLACE, name.encode(), told, (GOOD,)) for name in ("c_1", other)]
    outputs = journal.run([journal.append(one) for one in unit])
    assert [DEAD, TIMELINE, PROFILES] == [one.topic for one in outputs]
    assert {other} == journal.current(PROFILES).keys()


def test_a_closed_alert_that_is_too_large_to_be_written_again_costs_its_own_customer_only(journal: Journal) -> None:
    alert = ALERT._replace(rule="r" * 1_600_000, time=NOW * 1000 - 30 * DAY, end=NOW * 1000 - 29 * DAY, evidence=())
    state = profile("c_1", archived=1)
    for one in (
        record(NOTIFIED, PLACE, 0, stored_alert.stored(alert), f"c_1/{alert.id}".encode(), [OURS]),
        record(PROFILES, PLACE, 0, state.profile, b"c_1", [(STATE, state.state), OURS]),
    ):
        assert [] == journal.journey(PLACE).restore([one])
    journal.journey(PLACE).opened(MARK)
    told = []
    for number in range(3):  # each earlier than the one before: what is closed is looked at again
        page = event("web.page.viewed.v1", f"2026-11-1{7 - number}T09:00:00Z", number, url="u")
        told.append(journal.publish("c_1", page, "web"))
    assert [[TIMELINE, PROFILES], [DEAD, PROFILES], [DEAD, PROFILES]] == [[one.topic for one in each] for each in told]
