"""The store against a dict, and its edges."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.store import Store

#: Few different bytes, so that keys are prefixes of each other; 0xff has no successor.
KEYS = st.binary(max_size=3).map(lambda key: bytes(b"\x00a\xff"[byte % 3] for byte in key))
FAMILIES = ("entries", "order")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state", FAMILIES)
    yield opened
    opened.close()


class AgainstDicts(RuleBasedStateMachine):
    """Any sequence of operations reads like two dicts: what is durable, and what is pending on top."""

    @initialize()
    def opens(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.directory.name) / "state", FAMILIES)
        self.durable: dict[tuple[str, bytes], bytes] = {}
        self.pending: dict[tuple[str, bytes], bytes] = {}

    @rule(family=st.sampled_from(FAMILIES), key=KEYS, value=st.binary(max_size=4))
    def puts(self, family: str, key: bytes, value: bytes) -> None:
        self.store.put(family, key, value)
        self.pending[family, key] = value

    @rule(family=st.sampled_from(FAMILIES), key=KEYS)
    def deletes(self, family: str, key: bytes) -> None:
        self.store.delete(family, key)
        self.pending.pop((family, key), None)

    @rule()
    def flushes(self) -> None:
        self.store.flush_pending()
        self.durable = dict(self.pending)

    @rule()
    def drops(self) -> None:
        self.store.drop_pending()
        self.pending = dict(self.durable)

    @rule(family=st.sampled_from(FAMILIES), key=KEYS)
    def gets(self, family: str, key: bytes) -> None:
        assert self.pending.get((family, key)) == self.store.get(family, key)

    @rule(family=st.sampled_from(FAMILIES), prefix=KEYS)
    def scans(self, family: str, prefix: bytes) -> None:
        expected = sorted(
            (key, value) for (of, key), value in self.pending.items() if of == family and key.startswith(prefix)
        )
        assert expected == list(self.store.scan(family, prefix))

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()


TestAgainstDicts = AgainstDicts.TestCase
TestAgainstDicts.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_a_scan_shows_the_moment_of_its_call(store: Store) -> None:
    store.put("entries", b"a1", b"1")
    store.flush_pending()
    store.put("entries", b"a2", b"2")
    scan = store.scan("entries", b"a")
    store.put("entries", b"a3", b"3")
    store.delete("entries", b"a1")
    store.flush_pending()
    assert [(b"a1", b"1"), (b"a2", b"2")] == list(scan)


def test_opening_again_begins_empty(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / "state", FAMILIES)
        assert [] == list(store.scan("entries", b""))
        store.put("entries", b"key", b"value")
        store.flush_pending()
        store.close()


def test_what_was_pending_at_the_close_is_gone_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", FAMILIES)
    store.put("entries", b"key", b"value")
    store.close()
    store.close()


def test_a_directory_that_is_not_a_store_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "letters"
    precious.mkdir()
    (precious / "to-ada.txt").write_text("dear Ada")
    with pytest.raises(FileExistsError, match="letters"):
        Store(precious, FAMILIES)
    assert "dear Ada" == (precious / "to-ada.txt").read_text()


def test_an_unknown_family_is_an_error(store: Store) -> None:
    with pytest.raises(KeyError):
        store.get("nobody", b"key")
    with pytest.raises(KeyError):
        store.put("nobody", b"key", b"value")


def test_large_and_many_values_survive_a_flush(store: Store) -> None:
    large = bytes(range(256)) * 40_000
    store.put("order", b"large", large)
    for number in range(20_000):
        store.put("entries", b"%06d" % number, b"v" * 100)
    store.flush_pending()
    assert large == store.get("order", b"large")
    assert 20_000 == sum(1 for _ in store.scan("entries", b""))
    assert 10 == sum(1 for _ in store.scan("entries", b"00123"))
