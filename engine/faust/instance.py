"""A worker's group instance id: it outlives the process, in the worker's data directory."""

from __future__ import annotations

import uuid
from pathlib import Path


def instance_id(directory: Path) -> str:
    """The id of the one worker to which ``directory`` belongs; made at the first call.

    Host names and process names recur across machines and containers, and two workers with one id would displace each
    other for ever. Whoever holds the directory's lock holds the id.
    """
    file = directory / "instance"
    if not file.exists():
        made = file.with_suffix(".new")
        made.write_text(uuid.uuid4().hex)
        made.replace(file)
    return file.read_text()
