"""Pictures and tables of the topology, which ``make docs`` writes into the pages that have marks for them.

The marks are two lines, ``<!-- topology: NAME -->`` and ``<!-- end of topology -->``. The pages show a bus with one
department called ``<department>``, whose topics have P partitions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from schemas.topics import DAY, MIB, Topic

from .stages import topology_of
from .topology import Process, Stage, Topology

P = 1000
"""A number of partitions that no other setting has, so that topics with the configured number are recognised."""
SHOWN = topology_of(["<department>"], ["<department>"], "cxbus", P)

_ROOM = re.compile(r"(<!-- topology: (\w+) -->\n).*?(<!-- end of topology -->\n)", re.DOTALL)


def written(page: str) -> str:
    """The page with the topology between its marks. Raises ``KeyError`` for a name that is not in ``PARTS``."""
    return _ROOM.sub(lambda room: "".join((room[1], *(f"{line}\n" for line in PARTS[room[2]](SHOWN)), room[3])), page)


# --- pictures ---------------------------------------------------------------------------------------------------------


def summary(topology: Topology) -> Iterator[str]:
    """What each stage does, and which stages read what it writes."""
    drawn = _drawn(topology)
    titles, deeds = (max(map(len, column)) for column in zip(*((_title(one), one.does) for one in drawn), strict=True))
    yield "```"
    for stage in drawn:
        readers = [_title(one) for one in drawn if one is not stage and {*stage.written} & {*one.reads}]
        onward = f"──► {', '.join(readers)}" if readers else ""
        yield f"{_title(stage):{titles}}  {stage.does:{deeds}}  {onward}".rstrip()
    yield "```"


class _Widths(NamedTuple):
    """The widths of the columns of the flow, in characters."""

    inputs: int
    titles: int
    outputs: int


def flow(topology: Topology) -> Iterator[str]:
    """Each stage between what it reads and what it writes."""
    drawn = _drawn(topology)
    widths = _Widths(
        max(len(topic) for stage in drawn for topic in (*stage.reads, *stage.lookups)),
        max(len(_title(stage)) for stage in drawn),
        max(len(topic) for stage in drawn for topic in stage.written),
    )
    yield "```"
    for number, stage in enumerate(drawn):
        if number:
            yield ""
        yield from _lines(stage, widths)
    yield "```"


def _lines(stage: Stage, widths: _Widths) -> Iterator[str]:
    inputs = [*((topic, "─") for topic in stage.reads), *((topic, "┈") for topic in stage.lookups)]
    for line in range(max(len(inputs), len(stage.writes))):
        title = _title(stage) + " " if line == 0 else ""
        left, right = "", ""
        if line < len(inputs):
            topic, dash = inputs[line]
            left = f"{topic:>{widths.inputs}} {dash}{_joint(line, len(inputs), '┬┤┘')}" + ("─► " if line == 0 else "")
        if line < len(stage.writes):
            write = stage.writes[line]
            title = title.ljust(widths.titles + 2, "─" if line == 0 else " ")
            right = f"{_joint(line, len(stage.writes), '┬├└')}─► {write.topic:{widths.outputs}}  {write.what}"
        yield f"{left:{widths.inputs + 6}}{title}{right}".rstrip()


def _joint(line: int, lines: int, corners: str) -> str:
    """The character that joins a line to the others of its side: the first, a middle, the last, or the only one."""
    if lines == 1:
        return "─"
    return corners[0 if line == 0 else 2 if line == lines - 1 else 1]


# --- tables -----------------------------------------------------------------------------------------------------------


def stages(topology: Topology) -> Iterator[str]:
    """What each stage keeps, and its guarantee."""
    yield from _head("stage", "runs in", "keeps", "guarantee")
    for stage in topology.stages:
        yield _row(_title(stage), _runs_in(stage), _keeps(stage), f"{stage.guarantee}, by {stage.by}")


def _runs_in(stage: Stage) -> str:
    said = [] if stage.process == _title(stage) else [stage.process.value]
    if stage.group is not None:
        said.append(f"group `{stage.group}`")
    if stage.transactions is not None:
        said.append(f"transactional ids `{stage.transactions.id}-<n>`")
    return ", ".join(said)


def _keeps(stage: Stage) -> str:
    if stage.store is None:
        return ""
    return f"`{stage.store}`, a copy of {_code(stage.state or stage.lookups or stage.reads)}"


def topics(topology: Topology) -> Iterator[str]:
    """How each stage uses each topic."""
    yield from _head("topic", *map(_title, topology.stages))
    for topic in topology.topics:
        yield _row(f"`{topic.name}`", *(", ".join(_uses(stage, topic.name)) for stage in topology.stages))


def _uses(stage: Stage, topic: str) -> Iterator[str]:
    for word, used in (
        ("reads", stage.reads),
        ("looks up", stage.lookups),
        ("restores", stage.kept),
        ("writes", stage.written),
    ):
        if topic in used:
            yield word


def keeping(topology: Topology) -> Iterator[str]:
    """How the topics are kept; topics with equal settings share a row."""
    yield from _head("topics", "partitions", "kept", "batches up to")
    for kept, alike in groupby(sorted(topology.topics, key=_kept), key=_kept):
        yield _row(_code(topic.name for topic in alike), *kept)


def _kept(topic: Topic) -> tuple[str, str, str]:
    partitions = {1: "1", P: "P", P + 1: "P + 1"}[topic.partitions]
    days = int(topic.config.get("retention.ms", 0)) // DAY
    return partitions, f"{days} days" if days else "the latest of each key", f"{topic.max_bytes // MIB} MiB"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: str) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# --- both -------------------------------------------------------------------------------------------------------------


def _drawn(topology: Topology) -> Sequence[Stage]:
    """The stages in pictures: all but the command line, which reads everything and would hide the rest."""
    return [stage for stage in topology.stages if stage.process is not Process.COMMAND_LINE]


def _title(stage: Stage) -> str:
    return "department" if stage.process is Process.DEPARTMENT else stage.name


PARTS: Mapping[str, Callable[[Topology], Iterator[str]]] = {
    part.__name__: part for part in (summary, flow, stages, topics, keeping)
}


def main(pages: Sequence[str]) -> None:
    """Writes the topology into the pages."""
    for page in map(Path, pages):
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
