"""What all verbs share: where options stand, how errors read, and how quickly the command is there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from cli.main import Root, app, hoisted
from cli.problem import Code
from cli.verbs import VERBS, Noun, Verb
from tests.unit.cli.shop import database

ROOT = str(Path(__file__).parents[3])
HEAVY = ("aiokafka", "asyncio", "faust", "kafka", "markdown_it", "prometheus_client", "pydantic", "sqlalchemy", "yaml")

SLOW = frozenset(
    {*HEAVY, "phonenumbers", "rocksdict", "structlog", "sqlalchemy.dialects.postgresql"}
    - {"asyncio", "markdown_it"}  # pydantic-settings imports the one, Rich for the help the other
)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["status", "--bootstrap", "k:9092", "--json"], ["--bootstrap", "k:9092", "status", "--json"]),
        (["run", "-v", "--data-dir=here"], ["-v", "--data-dir=here", "run"]),
        (["customer", "search", "--", "-v"], ["customer", "search", "--", "-v"]),
        (["status", "--bootstrap"], ["--bootstrap", "status"]),
        ([], []),
    ],
)
def test_options_of_the_whole_command_may_stand_anywhere(given: list[str], expected: list[str]) -> None:
    assert expected == hoisted(given)


def test_help_lists_every_verb_and_the_exit_codes() -> None:
    code, out, _ = run("--help")
    verbs = {
        "demo",
        "run",
        "worker",
        "sink",
        "send",
        "schemas",
        "customer",
        "alerts",
        "tail",
        "rules",
        "status",
        "doctor",
        "topics",
        "dead",
    }
    assert Code.OK == code
    assert set() == verbs - set(out.split())
    assert "Exit codes" in out


def test_every_verb_has_an_example_in_its_help() -> None:
    without = [verb for verb in LEAVES if "Example: " not in run(*verb.split(), "--help")[1]]
    assert [] == without


def test_the_command_starts_without_anything_that_is_slow_to_import() -> None:
    code = f"import sys, cli.main; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "" == done.stdout.strip()


@pytest.mark.parametrize(
    ("verb", "needed"),
    [
        ("--help", set()),
        ("alerts --help", {"pydantic"}),  # with which Typer reads the options of `cxbus`
        ("rules list", {"pydantic", "yaml"}),
        ("schemas list", {"pydantic"}),
        ("customer show c_ada", {"pydantic", "sqlalchemy"}),
        ("customer search ada", {"pydantic", "sqlalchemy"}),
        ("customer show ada@example.com", {"phonenumbers", "pydantic", "sqlalchemy", "yaml"}),
        ("alerts list", {"pydantic", "sqlalchemy"}),
        ("alerts explain a_fired", {"pydantic", "sqlalchemy", "yaml"}),
    ],
)
def test_a_reading_verb_imports_of_what_is_slow_to_import_what_it_needs(
    verb: str, needed: set[str], tmp_path: Path
) -> None:
    database(tmp_path)
    told = "print(*set(sys.modules), file=sys.stderr)"
    code = f"import atexit, sys; from cli.main import app; atexit.register(lambda: {told}); app()"
    command = [sys.executable, "-c", code, "--data-dir", str(tmp_path), *verb.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT})
    assert Code.OK == done.returncode, done.stderr
    imported = set(done.stderr.split())
    assert needed == imported & SLOW


def test_version_is_told() -> None:
    code, out, _ = run("--version")
    assert Code.OK == code
    assert out.startswith("cxbus 0.")


def test_an_unknown_verb_is_a_usage_error_that_names_the_likely_one() -> None:
    code, _, err = run("stats")
    assert Code.USAGE == code
    assert "status" in err


def test_an_error_is_a_sentence_without_a_traceback(tmp_path: Path) -> None:
    code, out, err = run("--data-dir", str(tmp_path), "status")
    assert Code.AWAY == code
    assert "" == out
    assert err.startswith("cxbus: Nothing is running here; start it with `cxbus run`.")
    assert "Traceback" not in err


def test_verbose_shows_the_traceback_as_well(tmp_path: Path) -> None:
    code, _, err = run("--data-dir", str(tmp_path), "status", "-v")
    assert Code.AWAY == code
    assert "Traceback" in err
    assert "cxbus: Nothing is running here" in err


def test_what_nobody_expected_is_said_in_a_sentence_too() -> None:
    broken = typer.Typer(cls=Root)

    @broken.command()
    def one() -> None:
        raise ZeroDivisionError("division by zero")

    @broken.command()
    def other() -> None: ...

    result = CliRunner().invoke(broken, ["one"])
    assert Code.WRONG == result.exit_code
    assert result.stderr.startswith("cxbus: This should not happen (ZeroDivisionError: division by zero).")
    assert "Traceback" not in result.stderr


LEAVES = {
    f"{word.name} {verb.name}" if isinstance(word, Noun) else verb.name: verb
    for word in VERBS
    for verb in (word.verbs if isinstance(word, Noun) else (word,))
}


@pytest.mark.parametrize("verb", LEAVES.values(), ids=LEAVES)
def test_the_list_of_verbs_says_of_each_what_its_own_help_says(verb: Verb) -> None:
    loaded = verb.load()
    assert verb.about == " ".join((loaded.help or "").partition("\n\n")[0].split())
    assert verb.name == loaded.name


def test_a_child_of_the_supervisor_watches_it_before_its_verb_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def imported(name: str) -> ModuleType:
        told.append(name)
        return import_module(name)

    monkeypatch.setattr("cli.verbs.watch_parent", lambda: told.append("watches_parent"))
    monkeypatch.setattr("cli.verbs.import_module", imported)
    for verb in ("worker", "sink", "status"):
        run(verb, "--help")
    assert ["watches_parent", "cli.worker", "watches_parent", "cli.sink", "cli.status"] == told


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rules", "list"], ["rules", "--help"], ["schemas", "list", "--json"]]
)
@pytest.mark.parametrize("streams", ["stdout", "both"])
def test_a_reader_that_has_read_enough_is_no_error(arguments: list[str], streams: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        stdout=writing,
        stderr=writing if streams == "both" else subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    os.close(writing)
    said = "4 rules in" if arguments == ["rules", "list"] else ""
    assert (Code.OK, True) == (done.returncode, (done.stderr or said).startswith(said))


def test_an_error_keeps_its_exit_code_though_nobody_reads_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cli.main", "rules", "check", "nothing.yaml"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(writing)
    assert Code.USAGE == done.returncode


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_before_the_start_is_no_error(closed: str, tmp_path: Path) -> None:
    command = f'exec "{sys.executable}" -m cli.main rules list {closed}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert (Code.OK, False) == (done.returncode, "Traceback" in done.stderr)


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["--help"], ["rules", "list"]])
def test_an_output_without_room_is_said_in_a_sentence(arguments: list[str], buffered: str, tmp_path: Path) -> None:
    command, environ = [sys.executable, "-m", "cli.main", *arguments], {**os.environ, "PYTHONUNBUFFERED": buffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environ)
    words = "cxbus: The output could not be written: No space left on device.\n"
    assert (Code.WRONG, words) == (done.returncode, done.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["rules", "list"], ["schemas", "list"]])
def test_a_dumb_terminal_gets_lines_of_its_width_without_escapes(arguments: list[str], tmp_path: Path) -> None:
    said = on_a_terminal([sys.executable, "-m", "cli.main", *arguments], tmp_path, "dumb", columns=60)
    assert "\x1b" not in said
    assert max(len(line) for line in said.splitlines()) in range(40, 61)


def on_a_terminal(command: list[str], home: Path, term: str, columns: int) -> str:
    """What a terminal of so many columns gets of it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    told = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")  # a test run on several cores has set some of them
    environ = {name: value for name, value in os.environ.items() if name not in told}
    environ |= {"TERM": term, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, cwd=home, env=environ):
        os.close(slave)
        said = b""
        with suppress(OSError):  # it ended
            while some := os.read(master, 65536):
                said += some
    os.close(master)
    return said.decode()
