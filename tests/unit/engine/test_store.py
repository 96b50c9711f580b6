"""The store against a dict, and its edges."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.kafka.errors import StoreFailed
from engine.store.store import Store, discard_unused

ROOT = Path(__file__).parents[3]

#: Few different bytes, so that keys are prefixes of each other; 0xff has no successor, and a slash ends a group.
KEYS = st.binary(max_size=4).map(lambda key: bytes(b"\x00/\xff"[byte % 3] for byte in key))
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


def test_a_scan_sees_what_was_changed_since_the_one_before(store: Store) -> None:
    for number in range(3):
        store.put("entries", b"a/%d" % number, b"")
        store.put("entries", b"b/%d" % number, b"")
        assert number + 1 == len(list(store.scan("entries", b"a/")))
    store.delete("entries", b"a/1")
    assert [b"a/0", b"a/2"] == [key for key, _ in store.scan("entries", b"a/")]
    store.drop_pending()
    assert [] == list(store.scan("entries", b"a/"))


MARK = Checkpoint(Cluster("here", {"t": "one"}), {TopicPartition("t", 3): 17}, 1_795_000_000.0)


def test_opening_again_finds_what_was_flushed_and_its_mark(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", FAMILIES)
    assert store.checkpoint() is None
    store.put("entries", b"key", b"value")
    store.flush_pending(MARK)
    store.put("entries", b"key", b"pending")
    store.close()
    store = Store(tmp_path / "state", FAMILIES)
    assert (MARK, b"value") == (store.checkpoint(), store.get("entries", b"key"))
    store.close()


def test_a_reset_forgets_everything_and_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", FAMILIES)
    for durable in (False, True):
        store.put("entries", b"key", b"value")
        if durable:
            store.flush_pending(MARK)
        store.reset()
        assert (None, None) == (store.checkpoint(), store.get("entries", b"key"))
    store.put("order", b"key", b"value")
    store.flush_pending(MARK)
    assert (MARK, b"value") == (store.checkpoint(), store.get("order", b"key"))
    store.close()


def test_a_database_of_other_families_or_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", FAMILIES)
    store.put("entries", b"key", b"value")
    store.flush_pending(MARK)
    store.close()
    store = Store(tmp_path / "state", ("entries",))
    assert (None, None) == (store.checkpoint(), store.get("entries", b"key"))
    store.flush_pending(MARK)
    store.close()
    for file in (tmp_path / "state").iterdir():
        if file.name.startswith(("MANIFEST", "CURRENT")):
            file.write_bytes(b"nonsense")
    store = Store(tmp_path / "state", ("entries",))
    assert store.checkpoint() is None
    store.close()


WRITER = """
import sys
from pathlib import Path
from aiokafka import TopicPartition
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.cluster import Cluster
from engine.store.store import Store
store, at = Store(Path(sys.argv[1]), ("entries", "order")), TopicPartition("t", 0)
first = store.checkpoint().offsets[at] if store.checkpoint() else 0
print("ready", flush=True)
for number in range(first, first + 1_000_000):
    store.put("entries", b"%012d" % number, bytes(3_000))
    store.put("order", b"%012d" % number, b"")
    store.flush_pending(Checkpoint(Cluster("here", {}), {at: number + 1}, 0.0))
"""


def test_a_killed_process_leaves_a_store_that_is_behind_and_whole(tmp_path: Path) -> None:
    """All families and the mark go back to the same moment, and a later life goes on from there."""
    reached = []
    for seconds in (1.0, 1.3, 0.7):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "state")], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert writer.stdout is not None
        assert b"ready\n" == writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        writer.communicate()
        store = Store(tmp_path / "state", FAMILIES)
        mark = store.checkpoint()
        assert mark is not None, "nothing reached the disk: write more"
        wanted = [b"%012d" % number for number in range(mark.offsets[TopicPartition("t", 0)])]
        assert wanted == [key for key, _ in store.scan("entries", b"")]
        assert wanted == [key for key, _ in store.scan("order", b"")]
        reached.append(len(wanted))
        store.close()
    assert reached == sorted(reached)


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


@pytest.mark.parametrize(
    "left",
    [
        (),
        ("LOCK",),
        ("LOCK", "LOG", "OPTIONS-000007", "000004.log"),
        ("IDENTITY", "LOCK", "LOG.old.1", "MANIFEST-000001", "000009.sst", "000012.dbtmp", "rocksdict-config.json"),
    ],
)
def test_a_store_whose_owner_was_killed_while_it_was_made_or_removed_is_made_anew(
    tmp_path: Path, left: tuple[str, ...]
) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    for name in left:
        (directory / name).touch()
    store = Store(directory, FAMILIES)
    assert (None, None) == (store.checkpoint(), store.get("entries", b"key"))
    store.close()


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


def test_a_broken_disk_is_a_failure_of_the_store_and_no_answer(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", FAMILIES)
    for number in range(2_000):
        store.put("entries", b"%06d" % number, random.randbytes(500))
    store.flush_pending(MARK)
    store.close()
    store = Store(tmp_path / "state", FAMILIES)
    tables = list((tmp_path / "state").glob("*.sst"))
    for table in tables:
        table.write_bytes(bytes(table.stat().st_size))
    assert tables
    with pytest.raises(StoreFailed, match="failed"):
        store.get("entries", b"001000")
    with pytest.raises(StoreFailed, match="failed"):
        list(store.scan("entries", b"0010"))
    store.close()
    store = Store(tmp_path / "state", FAMILIES)
    assert (None, []) == (store.checkpoint(), list(store.scan("entries", b""))), "it is made anew"
    store.close()


def test_stores_that_nobody_used_for_long_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("journey-0", "journey-1"):
        store = Store(tmp_path / name, FAMILIES)
        store.put("entries", b"key", b"value")
        store.flush_pending(MARK)
        store.close()
    (tmp_path / "faust").mkdir()
    old = time.time() - 100
    for directory in ("journey-0", "faust"):
        for file in [*(tmp_path / directory).iterdir(), tmp_path / directory]:
            os.utime(file, (old, old))
    discard_unused(tmp_path, time.time(), 50)
    assert ["faust", "journey-1"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_killed_process_loses_no_more_than_came_since_the_last_time_that_all_went_to_the_disk(tmp_path: Path) -> None:
    """The first marked flush goes to the disk: a restore that took long is not to be repeated."""
    writer = "\n".join(
        (
            "import os, signal, sys",
            "from pathlib import Path",
            "from aiokafka import TopicPartition",
            "from engine.kafka.checkpoint import Checkpoint",
            "from engine.kafka.cluster import Cluster",
            "from engine.store.store import Store",
            "store = Store(Path(sys.argv[1]), ('entries', 'order'))",
            "for number in range(100):",
            "    store.put('entries', b'%012d' % number, b'value')",
            "    store.put('order', b'%012d' % number, b'')",
            "    store.flush_pending()",
            "store.flush_pending(Checkpoint(Cluster('here', {}), {TopicPartition('t', 0): 100}, 0.0))",
            "store.put('entries', b'later', b'value')",
            "store.flush_pending(Checkpoint(Cluster('here', {}), {TopicPartition('t', 0): 101}, 0.0))",
            "os.kill(os.getpid(), signal.SIGKILL)",
        )
    )
    killed = subprocess.run([sys.executable, "-c", writer, str(tmp_path / "state")], cwd=ROOT)
    assert -signal.SIGKILL == killed.returncode
    store = Store(tmp_path / "state", FAMILIES)
    mark = store.checkpoint()
    assert mark is not None
    assert 100 == mark.offsets[TopicPartition("t", 0)]
    assert 100 == len(list(store.scan("entries", b""))) == len(list(store.scan("order", b"")))
    store.close()
