"""The pages show the topology as it is, and the sink and the command line do what it says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.stages import topology
from agents.topology import Process
from agents.topology_page import PARTS, main, written
from cli.bus import Bus
from cli.sink_input import sink_group, sink_topics
from cli.status import _readers
from runtime.settings import Settings
from schemas.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": {"summary"},
    "docs/architecture.md": {"flow", "stages", "topics"},
    "docs/operations.md": {"keeping"},
}
SETTINGS = Settings()
OURS = topology(Registry.discover(), SETTINGS.app_id, 4)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_topology_as_it_is(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert page == written(page), "`make docs` writes it"
    for part in PAGES[name]:
        assert f"<!-- topology: {part} -->" in page


def test_every_part_is_on_a_page_and_make_docs_writes_these_pages() -> None:
    assert PARTS.keys() == {part for parts in PAGES.values() for part in parts}
    assert f"-m agents.topology_page {' '.join(PAGES)}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_only_what_stands_between_the_marks_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- topology: keeping -->\nold\n<!-- end of topology -->\nafter\n", encoding="utf-8")
    main([str(page)])
    first, mark, *table, end, last = page.read_text(encoding="utf-8").splitlines()
    assert ("before", "<!-- topology: keeping -->", "<!-- end of topology -->", "after") == (first, mark, end, last)
    assert "| `cx.links.v1`, `cx.dead.v1` | 1 | 21 days | 2 MiB |" in table
    assert not any("old" in line for line in table)


def test_the_sink_reads_what_the_topology_says_and_shows_itself_in_that_group() -> None:
    (sink,) = OURS.of(Process.SINK)
    assert set(sink.reads) == sink_topics(Bus()).kinds().keys()
    assert sink.group == sink_group(Bus())


def test_the_status_asks_for_the_lag_of_all_that_is_read_in_a_group() -> None:
    workers, (sink,) = OURS.of(Process.WORKER), OURS.of(Process.SINK)
    assert _readers(Bus()) == {
        "workers": (SETTINGS.app_id, {topic for one in workers for topic in one.reads}),
        "sink": (sink.group, set(sink.reads)),
    }
