"""The archive against a plain dict: whatever is added, moved, erased, flushed or restored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs
from prometheus_client import CollectorRegistry

from agents import known_uids
from agents.archive import Added, Archive, matter_name
from agents.journal_record import EventSource
from agents.metrics import Metrics
from agents.timeline_entry import TimelineEntries, timeline_headers
from core.customer.arrival import Arrived, Written
from core.timeline.derived import Derived
from core.timeline.entry import FOREVER, Entry, event_uid, rfc3339
from engine.store.store import Store

from .bench import MARK

CUSTOMERS = ("c_1", "c_10", "c")
NAMES = ("K", "K1", "K/1", "K1" + "\0" * 24, "ü", "K" * 256)
"""Of matters: some are the beginning of others, of others' keys, or hold what separates keys."""
MATTERS = (None, *(("case", name) for name in NAMES), ("invoice", "K1"), ("invoice", "/K1"))
START = 1_795_000_000_000_000


Matter = tuple[str, str]
"""Kind and id."""


@dataclass(frozen=True)
class Held:
    """An entry as it was written to the timeline."""

    entry: Entry
    matter: Matter | None
    event: bytes
    origin: str
    received: int

    @property
    def about(self) -> bytes:
        return b"" if self.matter is None else matter_name(*self.matter)


Record = tuple[bytes, bytes | None, tuple[tuple[str, bytes], ...]]
"""A record of the topic: key, value, headers."""


def held(number: int, at: int, matter: Matter | None) -> Held:
    """An event whose own texts hold what the bus looks for; the number is written as no encoder would."""
    name = f"{number}"
    data: dict[str, Any] = {
        "about": matter,
        "at": 7,
        "received": 8,
        "event": {},
        "text": '","event":{"at":7,"received":8,',
    }
    said = {"type": "t", "source": "s", "id": name, "time": rfc3339(START + number), "data": data}
    event = orjson.dumps(said).replace(b'"about"', b'"x": 1.50 ,"about"')
    return Held(
        Entry(at, event_uid("s", name), "t", "s", name, orjson.loads(event)["data"]),
        matter,
        event,
        f"cx.service.events.v1/0/{number}",
        at + 5,
    )


ENTRIES = TimelineEntries(0, {}, Metrics(CollectorRegistry()))


def written(customer: str, one: Held, moved_from: int | None = None) -> tuple[bytes, Added]:
    """Its value on the topic, with an identifier that tries to be mistaken for the bus's own words; what is stored."""
    known = orjson.dumps([{"type": '"at":1,"received":2,', "value": ',"event":{'}])
    source = EventSource(bytes.fromhex(one.entry.uid), one.event, one.received, one.origin, known, moved=True)
    output, added = ENTRIES.record(customer.encode(), Written(one.entry, False, 0, None, moved_from), source)
    assert output.value is not None
    return output.value, msgspec.structs.replace(added, matter=one.about)  # nobody knows its type, nor what it is about


def mirror(archive: Archive, record: Record) -> None:
    """As the journey restores it."""
    key, value, headers = record
    if value is None:
        archive.mirror_erased(key)
    else:
        told = dict(headers)
        archive.mirror(key, value, told.get("matter", b""), stood_elsewhere="stood-at" in told)


class AgainstADict(RuleBasedStateMachine):
    """``durable``: what was flushed; ``now``: what the unit of work sees; ``topic``: what was written in those that
    were committed, ``unsent`` in this one.
    """

    @initialize()
    def opens(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.homes = 0
        self.archive = self.another()
        self.durable: dict[tuple[str, str], Held] = {}
        self.now: dict[tuple[str, str], Held] = {}
        self.topic: list[Record] = []
        self.unsent: list[Record] = []
        self.numbers = 0

    def another(self) -> Archive:
        self.homes += 1
        return Archive(Path(self.directory.name) / str(self.homes))

    def writes(self, customer: str, one: Held, moved_from: int | None) -> None:
        value, added = written(customer, one, moved_from)
        self.archive.add(added)
        self.now[customer, one.entry.uid] = one
        headers = timeline_headers(one.about, moved_from)
        self.unsent.append((f"{customer}/{one.entry.uid}".encode(), value, headers))

    @rule(customer=st.sampled_from(CUSTOMERS), at=st.integers(0, 9), matter=st.sampled_from(MATTERS))
    def adds(self, customer: str, at: int, matter: Matter | None) -> None:
        self.numbers += 1
        self.writes(customer, held(self.numbers, at, matter), None)

    @precondition(lambda self: self.now)
    @rule(data=st.data())
    def moves_to_an_earlier_instant(self, data: st.DataObject) -> None:
        customer, uid = data.draw(st.sampled_from(sorted(self.now)))
        one = self.now[customer, uid]
        at = data.draw(st.integers(0, one.entry.at))
        if at < one.entry.at:
            earlier = replace(one, entry=structs.replace(one.entry, at=at), received=at)
            self.writes(customer, earlier, one.entry.at)

    @rule(customer=st.sampled_from(CUSTOMERS))
    def erases(self, customer: str) -> None:
        gone = [key for key in self.now if key[0] == customer]
        self.unsent += [(f"{name}/{uid}".encode(), None, ()) for name, uid in gone]
        for key in gone:
            del self.now[key]
        self.archive.erase(customer)

    @rule()
    def flushes(self) -> None:
        self.archive.flush(MARK)
        self.durable = dict(self.now)
        self.topic += self.unsent
        self.unsent = []

    @rule()
    def drops(self) -> None:
        self.archive.drop()
        self.now = dict(self.durable)
        self.unsent = []

    @rule(data=st.data(), compacted=st.booleans(), empty=st.booleans())
    def is_restored(self, data: st.DataObject, compacted: bool, empty: bool) -> None:
        """From the topic's records from some place on, over what there is, or all of it into an empty archive."""
        self.drops()
        log = self.topic
        if compacted:
            last = {record[0]: place for place, record in enumerate(log)}
            keep = data.draw(st.sets(st.sampled_from(sorted(last.values())))) if last else set()
            log = [record for place, record in enumerate(log) if place in keep or place == last[record[0]] or not keep]
        if empty:
            self.archive.close()
            self.archive = self.another()
        for record in log if empty else log[data.draw(st.integers(0, len(log))) :]:
            mirror(self.archive, record)
            if data.draw(st.booleans()):
                self.archive.flush()
        self.archive.flush(MARK)
        self.archive.opened()

    @rule()
    def reads_on(self) -> None:
        self.flushes()
        self.archive.load_uids()

    @invariant()
    def holds_the_same(self) -> None:
        for customer in CUSTOMERS:
            mine = {uid: one for (name, uid), one in self.now.items() if name == customer}
            in_order = sorted(mine.values(), key=lambda one: (one.entry.at, one.entry.uid))
            for at in (0, 4):
                assert [one.entry for one in in_order if one.entry.at >= at] == self.archive.since(customer, at)
            for matter in filter(None, MATTERS):
                about = [one.entry for one in in_order if one.matter == matter and one.entry.at < 6]
                assert about == list(self.archive.matter(customer, *matter, 6))
            shipped = [(one.entry.uid, one.received, one.origin, one.event) for one in in_order]
            assert shipped == [(s.uid, s.received, s.origin, s.event) for s in self.archive.for_move(customer)]
            for number in range(1, self.numbers + 1):
                uid = event_uid("s", f"{number}")
                one = mine.get(uid)
                assert (one and Arrived(one.entry, START + number)) == self.archive.find(customer, uid)

    def teardown(self) -> None:
        self.archive.close()
        self.directory.cleanup()


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(tmp_path / "state")
    yield opened
    opened.close()


def test_an_entry_is_found_by_its_uid_and_one_that_nobody_has_is_none(archive: Archive) -> None:
    one = held(1, 5, None)
    archive.add(written("c_1", one)[1])
    uid = bytes.fromhex(one.entry.uid)
    assert one.entry == archive.entry("c_1", 5, uid)
    assert one.entry == archive.entry("c_1", 4, uid), "it may have moved since somebody has noted where it stood"
    assert archive.entry("c_2", 5, uid) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"c_1/" + b"0" * 31, b'{"at":1,"received":2}}'),
        (b"c_1", b'{"at":1,"received":2}}'),
        (b"/" + b"0" * 32, b'{"at":1,"received":2}}'),
        (b"c_1/" + b"0" * 32, b'{"received":2}}'),
        (b"c_1/" + b"0" * 32, b'{"at":1,"event":2}}'),
        (b"c_1/" + b"0" * 32, b'{"at":x,"received":2}}'),
        (b"c_1/" + b"0" * 32, b'{"at":-1,"received":2}}'),
        (b"c_1/" + b"0" * 32, b'{"at":99999999999999999999,"received":2}}'),
    ],
)
def test_what_is_no_entry_is_said_to_be_none_and_changes_nothing(archive: Archive, key: bytes, value: bytes) -> None:
    one = held(1, 5, None)
    archive.mirror(b"c_1/" + b"0" * 32, written("c_1", one)[0])
    before = archive.since("c_1", 0)
    with pytest.raises((ValueError, OverflowError)):
        archive.mirror(key, value, stood_elsewhere=True)
    assert before == archive.since("c_1", 0)


def test_a_matter_has_nothing_of_one_whose_name_begins_with_its_own(archive: Archive) -> None:
    for number, name in enumerate(("K", "K1", "K", "K12", "")):
        one = held(number, number, ("case", name))
        archive.add(written("c_1", one)[1])
    for name, numbers in (("K", ["0", "2"]), ("K1", ["1"]), ("K12", ["3"]), ("", ["4"])):
        assert numbers == [one.id for one in archive.matter("c_1", "case", name, FOREVER)]


@pytest.mark.parametrize("left", [(0, 1, 2), (0, 2), (1, 2), (2,)])
@pytest.mark.parametrize("flushed", [False, True])
def test_a_restored_entry_stands_where_it_was_put_last_whatever_compaction_has_left(
    archive: Archive, left: tuple[int, ...], flushed: bool
) -> None:
    one = held(1, 9, ("case", "K"))
    key = f"c_1/{one.entry.uid}".encode()
    log, moved_from = [], None
    for at in (9, 7, 5):
        one = replace(one, entry=structs.replace(one.entry, at=at))
        log.append((key, written("c_1", one)[0], timeline_headers(one.about, moved_from)))
        moved_from = at
    for _ in range(2):  # a worker that was killed reads again what its store has already
        for place in left:
            mirror(archive, log[place])
            if flushed:
                archive.flush()
        assert [one.entry] == archive.since("c_1", 0) == archive.matter("c_1", "case", "K", 10)
    mirror(archive, (key, None, ()))
    archive.flush()
    assert [] == list(archive._store.scan("entries", b""))


def test_an_entry_that_a_copy_puts_earlier_stands_there_only(archive: Archive) -> None:
    one = held(1, 9, ("case", "K"))
    archive.add(written("c_1", one)[1])
    archive.flush()
    earlier = replace(one, entry=structs.replace(one.entry, at=5))
    archive.add(written("c_1", earlier, 9)[1])
    assert [earlier.entry] == archive.since("c_1", 0) == archive.matter("c_1", "case", "K", 10)


def test_of_a_matter_whose_entries_are_erased_one_by_one_the_others_are_found(archive: Archive) -> None:
    entries = [held(number, number, ("case", "K")) for number in (1, 2)]
    for one in entries:
        archive.add(written("c_1", one)[1])
    archive.flush()
    archive.mirror_erased(f"c_1/{entries[0].entry.uid}".encode())
    assert [entries[1].entry] == archive.matter("c_1", "case", "K", 9)
    archive.mirror_erased(f"c_1/{entries[1].entry.uid}".encode())
    archive.flush()
    assert [] == list(archive._store.scan("entries", b"")), "nothing is left, not even the matter's name"


def test_states_of_a_unit_of_work_that_is_lost_are_lost_with_it(archive: Archive) -> None:
    archive.cache_state("c_1", Derived(1, ()))
    archive.flush(MARK)
    archive.drop()
    assert Derived(1, ()) == archive.snapshot("c_1", 9), "nothing was pending"
    archive.cache_state("c_1", Derived(2, ()))
    archive.drop()
    assert archive.snapshot("c_1", 9) is None


def test_states_of_whoever_moves_away_are_void(archive: Archive) -> None:
    for name in ("c_1", "c_2"):
        archive.cache_state(name, Derived(1, ()))
    archive.erase("c_1")
    assert (None, Derived(1, ())) == (archive.snapshot("c_1", 9), archive.snapshot("c_2", 9))


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_what_a_store_held_before_is_found_however_much_of_it_was_read_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(known_uids, "PIECE", piece)
    entries = [held(number, number, None) for number in range(5)]

    def found(archive: Archive) -> list[int]:
        return [one.entry.at for one in entries if archive.find("c_1", one.entry.uid) is not None]

    archive = Archive(tmp_path / "state")
    for one in entries[:3]:
        archive.mirror(f"c_1/{one.entry.uid}".encode(), written("c_1", one)[0])
    archive.flush(MARK)
    archive.close()
    archive = Archive(tmp_path / "state")
    for _ in range(9):
        assert [0, 1, 2] == found(archive)
        archive.load_uids()
    archive.add(written("c_1", entries[3])[1])
    archive.mirror(f"c_1/{entries[4].entry.uid}".encode(), written("c_1", entries[4])[0])
    archive.flush(MARK)
    archive.opened()
    for _ in range(9):
        assert [0, 1, 2, 3, 4] == found(archive)
        archive.load_uids()
    archive.close()


def test_an_empty_store_is_known_to_hold_nothing_and_a_full_one_only_once_it_was_read(tmp_path: Path) -> None:
    one, other = bytes(16), bytes([1]) * 16
    store = Store(tmp_path / "state", ("entries",))
    uids = known_uids.KnownUids(store, "entries")
    assert [False, False] == [uids.may_hold(one), uids.may_hold(other)]
    store.put("entries", b"c_1/u" + one, b"")
    store.flush_pending()
    uids.begin()
    assert [True, True] == [uids.may_hold(one), uids.may_hold(other)]
    uids.load_uids()
    assert [True, False] == [uids.may_hold(one), uids.may_hold(other)]
    store.close()
