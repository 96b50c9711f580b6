"""A benchmark of this tree on the code of another checkout: ``python -m benchmarks.elsewhere ../other sizes``.

So that two trees are measured by the same program. The other must have the modules that this tree's benchmarks name:
none from before ``agents.pipeline`` has.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def measuring(tree: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a process whose modules are that tree's, but for the benchmarks, which are these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CXBUS_")}
    with tempfile.TemporaryDirectory() as overlay:
        (Path(overlay) / "benchmarks").symlink_to(Path(__file__).parent, target_is_directory=True)
        yield {**environment, "PYTHONPATH": os.pathsep.join((overlay, str(tree.absolute())))}


def main() -> None:
    """Runs it and ends as it does."""
    tree, program, *arguments = sys.argv[1:]
    with measuring(Path(tree)) as environment:
        done = subprocess.run([sys.executable, "-P", "-m", f"benchmarks.{program}", *arguments], env=environment)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
