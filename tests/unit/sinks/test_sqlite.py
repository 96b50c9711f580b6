"""What is special about a file: who may read it, who may write it, what may be in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sinks.base import SinkLost, SinkRefused, SinkUnavailable
from sinks.sql.sqlite import open_sink
from sinks.sql.sqlite_file import open_reader

from .messages import START_MS, TOPICS, Logs, entry


def filled(path: Path) -> None:
    logs = Logs()
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    sink = open_sink(path, TOPICS)
    sink.attach(logs.logs(), START_MS)
    sink.add(logs.records)
    sink.flush()
    sink.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "data" / "cxbus.db"
    before = os.umask(0)
    try:
        sink = open_sink(path, TOPICS)
        sink.positions()
        assert {file.name: mode(file) for file in path.parent.iterdir()} == dict.fromkeys(
            ["cxbus.db", "cxbus.db-wal", "cxbus.db-shm", "cxbus.db.lock"], 0o600
        )
        sink.close()
    finally:
        os.umask(before)


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    path.chmod(0o644)
    open_sink(path, TOPICS).close()
    assert mode(path) == 0o600


def test_a_second_sink_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    sink = open_sink(path, TOPICS)
    with pytest.raises(SinkRefused, match=f"process {os.getpid()}"):
        open_sink(path, TOPICS)
    sink.close()
    open_sink(path, TOPICS).close()


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    sink = open_sink(tmp_path / "cxbus.db", TOPICS)
    sink.close()
    other = open_sink(tmp_path / "cxbus.db", TOPICS)
    sink.close()
    with pytest.raises(SinkRefused):
        open_sink(tmp_path / "cxbus.db", TOPICS)
    other.close()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    program = (
        "import os, sys; from pathlib import Path; from sinks.sql.sqlite import open_sink;"
        "from tests.unit.sinks.messages import TOPICS;"
        "sink = open_sink(Path(sys.argv[1]), TOPICS); print('open', flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, check=False)
    assert (killed.returncode, killed.stdout) == (-9, b"open\n")
    open_sink(path, TOPICS).close()


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sink_meta SET value = '2'")
    connection.commit()
    for _ in range(2):
        sink = open_sink(path, TOPICS)
        with pytest.raises(SinkRefused, match="version 2; this cxbus knows version 1"):
            sink.positions()
        with pytest.raises(SinkRefused, match="version 2; this cxbus knows version 1"):
            sink.flush()
        sink.close()
    with pytest.raises(SinkRefused, match="version 2; this cxbus knows version 1"):
        open_reader(path)
    assert connection.execute("SELECT count(*) FROM timeline").fetchone() == (1,)
    connection.close()


def test_another_kind_of_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 500)
    with pytest.raises(SinkRefused, match="not an SQLite database"):
        open_sink(path, TOPICS)
    with pytest.raises(SinkRefused, match="not an SQLite database"):
        open_reader(path)
    assert path.read_text() == "Dear Ada, " * 500


def test_a_log_beside_a_file_that_is_no_database_does_not_make_it_one(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    sink = open_sink(path, TOPICS)
    sink.positions()
    shutil.copytree(tmp_path, tmp_path / "killed")
    sink.close()
    killed = tmp_path / "killed" / "cxbus.db"
    assert killed.with_name("cxbus.db-wal").stat().st_size > 0
    killed.write_bytes(b"garbage" * 1000)
    with pytest.raises(SinkRefused, match="not an SQLite database"):
        open_sink(killed, TOPICS)
    assert killed.read_bytes() == b"garbage" * 1000


@pytest.mark.parametrize("kept_pages", [1, 4, 6])
def test_a_damaged_database_is_refused_with_a_way_out(kept_pages: int, tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    content = path.read_bytes()
    path.write_bytes(content[: kept_pages * 4096] + b"\xa5" * (len(content) - kept_pages * 4096))
    sink = open_sink(path, TOPICS)
    logs = Logs()
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    with pytest.raises(SinkRefused, match=r"damaged .*Move it away .* filled from the topics"):
        sink.attach(logs.logs(), START_MS)
    sink.close()


def test_a_database_that_was_cut_off_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    os.truncate(path, 4096 * 3)
    with pytest.raises(SinkRefused, match=r"damaged .*Move it away"):
        open_sink(path, TOPICS).positions()


def removed(path: Path) -> None:
    path.unlink()


def removed_with_all_beside_it(path: Path) -> None:
    shutil.rmtree(path.parent)


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("other.db"))
    path.with_name("other.db").replace(path)


def without_its_lock(path: Path) -> None:
    path.with_name("cxbus.db.lock").unlink()


@pytest.mark.parametrize(
    ("lose", "lock_is_free"),
    [(removed, False), (replaced, False), (removed_with_all_beside_it, True), (without_its_lock, True)],
)
def test_a_sink_whose_file_is_gone_writes_nothing_more_and_the_next_one_begins_anew(
    lose: Callable[[Path], None], lock_is_free: bool, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "cxbus.db"
    logs = Logs()
    logs.append(TOPICS.timeline, "c_1/u1", entry())
    sink = open_sink(path, TOPICS)
    sink.attach(logs.logs(), START_MS)
    sink.add(logs.records)
    lose(path)
    for call in (sink.flush, sink.positions, lambda: sink.attach(logs.logs(), START_MS)):
        with pytest.raises(SinkLost, match="removed or replaced"):
            call()
    if not lock_is_free:
        sink.close()
    other = open_sink(path, TOPICS)
    other.attach(logs.logs(), START_MS)
    sink.close()  # must take nothing away that is the other's
    other.add(logs.records)
    other.flush()
    reader = open_reader(path)
    assert reader.counts().entries == 1
    reader.close()
    other.close()


def test_a_full_disk_keeps_the_batch_until_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    logs = Logs()
    for number in range(3000):
        logs.append(TOPICS.timeline, f"c_1/u{number}", entry("c_1", f"u{number}"))
    sink = open_sink(path, TOPICS)
    sink.attach(logs.logs(), START_MS)
    with sink.engine.connect() as connection:  # the pool's only connection: the limit is its own
        connection.exec_driver_sql("PRAGMA max_page_count=50")
    sink.add(logs.records)
    for _ in range(2):
        with pytest.raises(SinkUnavailable, match="SQLITE_FULL"):
            sink.flush()
    assert sink.positions()[TOPICS.timeline, 0] == 0
    with sink.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    assert sink.flush().records == 3000
    assert open_reader(path).counts().entries == 3000
    sink.close()


def test_without_a_database_the_reader_says_so_and_creates_none(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    with pytest.raises(SinkRefused, match="no sink has written it yet"):
        open_reader(path)
    assert not path.exists()
    open_sink(path, TOPICS).close()
    with pytest.raises(SinkRefused, match="empty"):
        open_reader(path)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    reader = open_reader(path)
    with reader.engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM timeline")
    reader.close()


def test_a_reader_sees_the_last_flush_while_the_sink_is_writing_the_next(tmp_path: Path) -> None:
    path = tmp_path / "cxbus.db"
    filled(path)
    sink = open_sink(path, TOPICS)
    reader = open_reader(path)
    with sink.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM timeline")
        assert reader.counts().entries == 1
    assert reader.counts().entries == 0
    reader.close()
    sink.close()
