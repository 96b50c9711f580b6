"""What processes use, as ``/proc`` says it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.usage import PAGE, TICKS, Sample, Spent, Stat, Usage, between, child_of, family, parse_stat

LINE = (
    "4242 (a (bad) name) S 4000 4242 4242 0 -1 4194560 100 200 3 4 150 50 30 20 20 0 7 0 12345 999 2560 "
    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
)


def test_a_line_of_proc_holds_parent_cpu_with_that_of_ended_children_and_memory() -> None:
    assert Stat(4242, 4000, 150 + 50 + 30 + 20, 2560, 150 + 50, "a (bad) name") == parse_stat(LINE)


def test_a_family_is_a_process_with_all_that_descend_from_it() -> None:
    stats = [Stat(5, 4, 0, 0), Stat(4, 3, 0, 0), Stat(3, 1, 0, 0), Stat(7, 1, 0, 0), Stat(8, 3, 0, 0)]
    assert {3, 4, 5, 8} == {stat.pid for stat in family(stats, 3)}
    assert {3, 4, 5, 7, 8} == {stat.pid for stat in family(stats, 3, 7)}
    assert [] == family(stats, 99)


def test_what_was_spent_in_a_window_is_interpolated_and_memory_is_the_most_ever() -> None:
    samples = [Sample(10.0, 1.0, 50 << 20), Sample(11.0, 2.0, 90 << 20), Sample(12.0, 4.0, 70 << 20)]
    assert Spent(2.0, 90.0) == between(samples, 10.5, 11.75)
    assert Spent(3.0, 90.0) == between(samples, 0.0, 99.0)


def test_what_compilers_took_is_told_apart_from_the_rest() -> None:
    samples = [Sample(10.0, 1.0, 0, 0.5), Sample(12.0, 5.0, 0, 2.5)]
    assert Spent(1.0, 0.0, 1.0) == between(samples, 10.0, 11.0)


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")
def test_the_compilers_of_a_jvm_are_found(tmp_path: Path) -> None:
    source = tmp_path / "Busy.java"
    source.write_text(BUSY, encoding="ascii")
    began = time.time()
    with subprocess.Popen(["java", str(source)]) as process, Usage(process.pid) as usage:
        try:
            until = time.monotonic() + 60
            while not usage.samples or usage.spent(began, time.time()).compiling_seconds <= 0:
                assert time.monotonic() < until, "its compilers took nothing"
                time.sleep(0.1)
            assert usage.spent(began, time.time()).cpu_seconds > 0
        finally:
            process.kill()


def test_compilers_are_read_as_often_as_the_process_and_without_its_ended_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(place: Path, number: int, name: str, seconds: int) -> None:
        place.mkdir(parents=True, exist_ok=True)
        line = f"{number} ({name}) S 1 {'0 ' * 9}{seconds * TICKS} 0 {50 * TICKS} 0 {'0 ' * 10}"
        (place / "new").write_text(line, encoding="ascii")
        (place / "new").rename(place / "stat")

    def until(cpu: int, compiling: int) -> None:
        end = time.monotonic() + 20
        while not usage.samples or (50 + cpu, compiling) != usage.samples[-1][1::2]:
            assert time.monotonic() < end, usage.samples[-1:]
            time.sleep(0.01)

    monkeypatch.setattr("benchmarks.usage.PROC", tmp_path)
    monkeypatch.setattr("benchmarks.usage.KNOWN", 10**9)  # processes and threads are looked for once
    say(tmp_path / "7", 7, "java", 3)
    (tmp_path / "7" / "comm").write_text("java\n", encoding="ascii")
    say(tmp_path / "7" / "task" / "8", 8, "C2 CompilerThre", 1)
    say(tmp_path / "7" / "task" / "9", 9, "main", 1)
    with Usage(7) as usage:
        until(3, 1)
        say(tmp_path / "7" / "task" / "8", 8, "C2 CompilerThre", 2)
        until(3, 2)


BUSY = """
public class Busy {
    public static void main(String[] none) {
        long sum = 0;
        while (true) {
            sum += Long.toString(sum).hashCode();
        }
    }
}
"""


def test_nothing_is_said_of_a_process_that_was_never_seen() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        between([], 0.0, 1.0)


def test_a_busy_child_is_found_and_its_processor_counted() -> None:
    busy = "import time\nwhile time.process_time() < 0.6: pass\ntime.sleep(30)"
    watcher = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    began = time.time()
    with subprocess.Popen([sys.executable, "-c", watcher, busy]) as process:
        try:
            child = child_of(process.pid)
            assert child != process.pid
            with Usage(child) as usage:
                until = time.monotonic() + 20
                while usage.spent(began, time.time()).cpu_seconds < 0.3 if usage.samples else True:
                    assert time.monotonic() < until, "it never used a processor"
                    time.sleep(0.05)
            assert usage.spent(began, time.time()).mebibytes > 1
        finally:
            os.kill(child, 9)


def test_a_process_without_a_child_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.usage.CHILD", 0.1)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with pytest.raises(ProcessLookupError, match="no child"):
            child_of(process.pid)
        process.communicate(b"\n")


def test_pages_are_those_of_this_machine() -> None:
    assert PAGE in (4096, 16384, 65536)
