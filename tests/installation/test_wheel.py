"""The project as others install it: built as a wheel, in an environment without the source tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = sorted({name.partition(".")[0] for name in PROJECT["tool"]["setuptools"]["packages"]})
"""The folders of the source tree that make the distribution."""
QUIET = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")


def files(root: Path) -> Iterator[str]:
    """What stands in the folders of the distribution, but for what Python writes there."""
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, env=environment())


def environment() -> dict[str, str]:
    """Nothing that leads to the source tree, or sets something about the bus."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CXBUS_", "PYTHON")) or name in ("CXBUS_CACHE", "CXBUS_MAVEN_MIRROR")
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree: setuptools leaves its own files beside what it builds."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", PROJECT["project"]["readme"], "LICENSE"):
        shutil.copy2(ROOT / name, copy / name)
    pip("wheel", *QUIET, "--no-build-isolation", "--wheel-dir", str(out), str(copy))
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def cxbus(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment of its own that has the wheel and, read-only, the locked dependencies.

    A path that stands in a ``.pth`` file is searched for modules, not for further ``.pth`` files: the editable
    installation that is among the dependencies leads nowhere from there.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip("--python", str(python), "install", *QUIET, str(wheel))
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    )
    (Path(found.stdout.strip()) / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home / "bin" / "cxbus"


def run(command: Sequence[str | Path], empty: Path, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=empty, env=environment(), capture_output=True, text=True, timeout=seconds)


def test_the_wheel_holds_every_file_of_its_folders(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    assert sorted(files(ROOT)) == sorted(held)


def test_an_installation_has_the_shipped_rules_and_contracts(cxbus: Path, tmp_path: Path) -> None:
    told = run([cxbus, "rules", "list", "--json"], tmp_path)
    assert 0 == told.returncode, told.stderr
    found = json.loads(told.stdout)
    assert not Path(found["folder"]).is_relative_to(ROOT)
    shipped = {path.stem for path in (ROOT / "rules").iterdir()}
    assert shipped == {rule["rule"] for rule in found["rules"]}
    for verb in ("rules", "schemas"):
        checked = run([cxbus, verb, "check"], tmp_path)
        assert 0 == checked.returncode, checked.stdout + checked.stderr


@pytest.mark.kafka
@pytest.mark.faults
def test_the_demo_of_an_installation_tells_what_that_of_the_source_tree_tells(cxbus: Path, tmp_path: Path) -> None:
    told = run([cxbus, "demo", "--once", "--json"], tmp_path, 180.0)
    assert 0 == told.returncode, told.stderr
    summary = json.loads(told.stdout)
    assert (True, []) == (summary["ok"], summary["differences"])
    assert {path.stem for path in (ROOT / "rules").iterdir()} == set(summary["alerts"])
