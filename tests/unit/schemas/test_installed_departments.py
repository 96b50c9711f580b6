"""A company's own departments live in distributions of their own: found by entry point, never left out silently."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.stages import topology
from cli.main import app
from cli.problem import Code
from schemas.codec import Codec, Decoded
from schemas.registry import DepartmentError, Registry

FLEET = '''
"""What the fleet publishes."""

from __future__ import annotations

from schemas.department import ALWAYS, Department, EventData, EventType
from schemas.fields import Id


class VanBrokeDown(EventData):
    """A van with parcels stands at the roadside."""

    vanId: Id


DEPARTMENT = Department(
    name="fleet",
    types=(EventType(name="fleet.van.broke_down.v1", data=VanBrokeDown, example={"vanId": "V-1"}),),
    outreach=True,
)
'''
BUILT_IN = {department.name for department in Registry.discover().departments}


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, module: str, text: str, value: str | None = None) -> None:
        """One with one module, and an entry point that names it, or ``value``."""
        (self.folder / f"{module}.py").write_text(text)
        info = self.folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[cxbus.departments]\nfleet = {value or module}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def refused() -> str:
    with pytest.raises(DepartmentError) as caught:
        Registry.discover()
    return str(caught.value)


def test_an_installed_department_is_one_department_more(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", FLEET)
    registry = Registry.discover()
    assert BUILT_IN | {"fleet"} == {department.name for department in registry.departments}
    assert "cx.fleet.events.v1" in {topic.name for topic in registry.topics(4, 1)}
    assert "fleet" in registry.alerted
    codec = Codec(registry)
    customer = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
    value = codec.encode_structured(
        type="fleet.van.broke_down.v1",
        source="/yard",
        id="1",
        time="2026-03-02T09:00:00Z",
        data={"customer": customer, "vanId": "V-7"},
    )
    assert isinstance(codec.decode("fleet", value, None), Decoded)


def test_the_command_line_knows_an_installed_department(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", FLEET)
    result = CliRunner().invoke(app, ["schemas", "list"])
    assert Code.OK == result.exit_code
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("fleet.")]
    assert ["fleet.van.broke_down.v1", "fleet", "A van with parcels stands at the roadside"] == line.split(maxsplit=2)


def test_several_distributions_bring_departments(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", FLEET)
    site.install("acme-shops", "acme_shops", FLEET.replace("fleet", "shops"))
    assert BUILT_IN | {"fleet", "shops"} == {department.name for department in Registry.discover().departments}


def test_a_department_of_a_name_that_the_bus_has_is_refused(site: Site) -> None:
    site.install("acme-departments", "acme_sales", FLEET.replace("fleet", "sales"))
    words = refused()
    assert words.startswith(
        "Two departments are called sales: that of schemas.departments.sales, and that of acme_sales"
    )
    assert "installed with acme-departments 1.2" in words


def test_two_installed_departments_of_one_name_are_refused_with_both_places(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", FLEET)
    site.install("bolt-departments", "bolt_fleet", FLEET)
    words = refused()
    assert "acme_fleet (installed with acme-departments 1.2)" in words
    assert "bolt_fleet (installed with bolt-departments 1.2)" in words
    assert "Rename the one that is not in use yet, or uninstall its distribution" in words


@pytest.mark.parametrize(
    ("text", "value", "what"),
    [
        ("import no_such_module", None, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise RuntimeError('not today')", None, "RuntimeError: not today"),
        ("import sys; sys.exit(0)", None, "SystemExit: 0"),
        ("", None, "a module with a constant DEPARTMENT, a schemas.department.Department, was expected"),
        ("DEPARTMENT = 'fleet'", None, "a module with a constant DEPARTMENT, a schemas.department.Department"),
        (FLEET, "acme_fleet:DEPARTMENT", "a module with a constant DEPARTMENT, a schemas.department.Department"),
        (FLEET, "acme_flete", "ModuleNotFoundError: No module named 'acme_flete'"),
        (FLEET.replace('"fleet"', '"Fleet"'), None, "department 'Fleet': not a name for a topic"),
        (FLEET.replace("fleet.van", "float.van"), None, "expected fleet.<entity>.<verb>.v<major>"),
    ],
)
def test_an_installed_department_that_can_not_be_used_is_named_with_its_distribution(
    site: Site, text: str, value: str | None, what: str
) -> None:
    site.install("acme-departments", "acme_fleet", text, value)
    words = refused()
    assert words.startswith("The department of acme_fl")
    assert "(installed with acme-departments 1.2) can't be used: " in words
    assert what in words
    assert words.endswith("Fix it, or uninstall its distribution.")


def test_a_department_that_is_called_as_those_who_operate_the_bus_is_alerted_once(site: Site) -> None:
    site.install("acme-departments", "acme_ops", FLEET.replace("fleet", "ops"))
    registry = Registry.discover()
    assert 1 == registry.alerted.count("ops")
    assert topology(registry, "cxbus", 4)["department ops"].written


def test_a_list_of_entry_points_that_can_not_be_parsed_is_told_in_a_sentence(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", FLEET)
    (listed,) = site.folder.glob("*.dist-info/entry_points.txt")
    listed.write_text("[cxbus.departments]\nfoo\n", encoding="utf-8")
    assert refused().startswith("The entry points cxbus.departments of the installed distributions can't be read: ")


def test_a_command_says_in_a_sentence_which_distribution_is_wrong(site: Site) -> None:
    site.install("acme-departments", "acme_fleet", "raise RuntimeError('not today')")
    result = CliRunner().invoke(app, ["schemas", "list"])
    assert Code.USAGE == result.exit_code
    words = "The department of acme_fleet (installed with acme-departments 1.2) can't be used: RuntimeError: not today."
    assert result.stderr.startswith(f"cxbus: {words}")
    assert "Traceback" not in result.stderr
