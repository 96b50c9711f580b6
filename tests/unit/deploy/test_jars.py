"""Downloading and keeping jars, from a small Maven repository on this machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.jars import DownloadFailed, cache_dir, kafka_jars
from deploy.lock import BROKER, JARS, KAFKA, LOG_BINDING, Jar

CONTENTS = {"one": b"1" * 300_000, "two": b"2" * 20, "three": b"3" * 5_000}


def jar(name: str, content: bytes) -> Jar:
    return Jar(f"org.example:{name}:1.0", len(content), hashlib.sha256(content).hexdigest())


LOCK = tuple(jar(name, content) for name, content in CONTENTS.items())


class Repository(ThreadingHTTPServer):
    """Serves ``files`` by name; counts what was asked for; a file in ``stalling`` stops in its middle."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {f"{name}-1.0.jar": content for name, content in CONTENTS.items()}
        self.stalling: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked[name] += 1
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name in self.server.stalling:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.server.released.wait(30)
            return
        self.wfile.write(content)

    def log_message(self, format: str, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def left(cache: Path) -> list[str]:
    """What lies in the cache, but for lock files."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_jars_are_downloaded_once_and_then_need_no_network(tmp_path: Path, repository: Repository) -> None:
    first = kafka_jars(tmp_path, repository.address, LOCK)
    assert {path.name: path.read_bytes() for path in first} == repository.files
    assert kafka_jars(tmp_path, "http://127.0.0.1:1", LOCK) == first
    assert {name: repository.asked[name] for name in repository.files} == dict.fromkeys(repository.files, 1)


def test_where_there_is_no_terminal_a_download_says_one_line_and_a_cached_start_none(
    tmp_path: Path, repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    kafka_jars(tmp_path, repository.address, LOCK)
    said = capfd.readouterr()
    kafka_jars(tmp_path, repository.address, LOCK)
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith(f"Downloading Apache Kafka {KAFKA}")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_the_locked_one_is_refused_and_leaves_nothing(
    tmp_path: Path, repository: Repository
) -> None:
    repository.files["two-1.0.jar"] = b"X" * 20
    with pytest.raises(DownloadFailed, match=r"two-1\.0\.jar is not the file that the lock names"):
        kafka_jars(tmp_path, repository.address, LOCK)
    assert left(tmp_path) == []
    repository.files["two-1.0.jar"] = CONTENTS["two"]
    assert len(kafka_jars(tmp_path, repository.address, LOCK)) == 3


def test_a_file_that_is_missing_is_named(tmp_path: Path, repository: Repository) -> None:
    del repository.files["three-1.0.jar"]
    with pytest.raises(DownloadFailed, match=r"three-1\.0\.jar .* could not be downloaded"):
        kafka_jars(tmp_path, repository.address, LOCK)
    assert left(tmp_path) == []


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"Check the network and the proxy settings.*CXBUS_BOOTSTRAP"):
        kafka_jars(tmp_path, "http://127.0.0.1:1", LOCK)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadFailed, match=r"could not be stored in .*CXBUS_CACHE"):
        kafka_jars(tmp_path / "file" / "cache", "http://127.0.0.1:1", LOCK)


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_a_damaged_cache_is_downloaded_again(tmp_path: Path, repository: Repository, damage: str) -> None:
    broken = kafka_jars(tmp_path, repository.address, LOCK)[0]
    if damage == "gone":
        broken.unlink()
    else:
        broken.write_bytes(b"1")
    paths = kafka_jars(tmp_path, repository.address, LOCK)
    assert {path.name: path.read_bytes() for path in paths} == repository.files


def test_another_lock_is_another_directory(tmp_path: Path, repository: Repository) -> None:
    old = kafka_jars(tmp_path, repository.address, LOCK)
    new = kafka_jars(tmp_path, repository.address, LOCK[:2])
    assert {path.parent for path in old} & {path.parent for path in new} == set()
    assert all(path.exists() for path in old + new)


DOWNLOAD = """
import sys
from pathlib import Path
from deploy.jars import kafka_jars
from tests.unit.deploy.test_jars import LOCK
print(len(kafka_jars(Path(sys.argv[1]), sys.argv[2], LOCK)))
"""


def downloading(cache: Path, repository: Repository) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DOWNLOAD, str(cache), repository.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def test_a_download_that_was_killed_leaves_nothing_that_is_used(tmp_path: Path, repository: Repository) -> None:
    repository.stalling.add("one-1.0.jar")
    with downloading(tmp_path, repository) as process:
        while not any(path.stat().st_size for path in tmp_path.rglob("one-1.0.jar")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    repository.stalling.clear()
    paths = kafka_jars(tmp_path, repository.address, LOCK)
    assert {path.name: path.read_bytes() for path in paths} == repository.files
    assert left(tmp_path) == [paths[0].parent.name]


def test_of_two_processes_at_once_one_downloads_and_both_have_the_jars(tmp_path: Path, repository: Repository) -> None:
    with downloading(tmp_path, repository) as first, downloading(tmp_path, repository) as second:
        answers = [process.communicate(timeout=30) for process in (first, second)]
    assert [out for out, _ in answers] == ["3\n", "3\n"]
    assert sorted(len(err.splitlines()) for _, err in answers) == [0, 1]
    assert {name: repository.asked[name] for name in repository.files} == dict.fromkeys(repository.files, 1)


@pytest.mark.parametrize(
    ("environ", "platform", "directory"),
    [
        ({"CXBUS_CACHE": "/big/disk", "XDG_CACHE_HOME": "/x"}, "linux", "/big/disk"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/cxbus"),
        ({}, "linux", "~/.cache/cxbus"),
        ({"XDG_CACHE_HOME": ""}, "linux", "~/.cache/cxbus"),
        ({"XDG_CACHE_HOME": "/x"}, "darwin", "~/Library/Caches/cxbus"),
        ({"CXBUS_CACHE": "/big/disk"}, "darwin", "/big/disk"),
    ],
)
def test_the_cache_is_where_this_platform_keeps_caches(environ: dict[str, str], platform: str, directory: str) -> None:
    assert cache_dir(environ, platform) == Path(directory).expanduser()


def test_the_lock_names_each_file_once_and_one_version_of_kafka() -> None:
    assert len({jar.name for jar in JARS}) == len(JARS)
    assert {BROKER, LOG_BINDING} <= {jar.coordinate for jar in JARS}
    kafka = {jar.coordinate.rsplit(":", 1)[1] for jar in JARS if jar.coordinate.startswith("org.apache.kafka:")}
    assert kafka == {KAFKA}
    assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.size > 0 for jar in JARS)
