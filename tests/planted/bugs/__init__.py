"""All bugs that can be planted, by room."""

from __future__ import annotations

from collections.abc import Sequence

from tests.planted.bug import Bug
from tests.planted.bugs import (
    agents,
    archive,
    command_line,
    core,
    decompression,
    engine,
    folding,
    hostile,
    identifiers,
    lifecycle,
    matters,
    sink,
)

BUGS: Sequence[Bug] = (
    *engine.BUGS,
    *agents.BUGS,
    *hostile.BUGS,
    *archive.BUGS,
    *core.BUGS,
    *folding.BUGS,
    *matters.BUGS,
    *identifiers.BUGS,
    *sink.BUGS,
    *lifecycle.BUGS,
    *command_line.BUGS,
    *decompression.BUGS,
)
