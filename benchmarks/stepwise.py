"""One side of ``benchmarks.against``: a unit of work for each line on standard input, and a line of JSON on its cost.

Between two units it waits, so that two such processes can take turns.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import orjson

from .inprocess import Line, published, units


def main() -> None:
    """Works until it is told no more; says how many units there are before it begins, and a digest at the end."""
    events, customers, size = (int(os.environ[f"CXBUS_BENCH_{name}"]) for name in ("EVENTS", "CUSTOMERS", "UNIT"))
    work, digest, clock = list(units(published(events, customers), size)), hashlib.sha256(), time.process_time
    with tempfile.TemporaryDirectory() as directory:
        line = Line(Path(directory))
        gc.collect()
        gc.freeze()
        gc.set_threshold(500_000, 20, 50)  # as the worker does
        _say({"units": len(work)})
        for unit, _ in zip(work, sys.stdin, strict=False):
            began = clock()
            journal = line.route(unit)
            routed = clock()
            outputs = line.decide(journal)
            decided = clock()
            digest.update(repr([(one.topic, one.key, one.value) for one in outputs]).encode())
            _say({"events": len(unit), "intake": routed - began, "journey": decided - routed})
        _say({"written": digest.hexdigest()[:16]})
        line.close()


def _say(told: object) -> None:
    print(orjson.dumps(told).decode(), flush=True)


if __name__ == "__main__":
    main()
