"""Bugs of a process's life: how it ends, what it takes for a standstill, what its pages say, who starts it again."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "end-without-a-limit",
        "A process whose end hangs says so, and stays.",
        "runtime/shutdown.py",
        "        os._exit(self._code)\n",
        "",
        (checks.ENDS,),
    ),
    Bug(
        "standing-still-not-noticed-by-the-supervisor",
        "A child whose /livez refuses lives on.",
        "cli/supervisor.py",
        "                    child.end()\n",
        "",
        (checks.ENDED,),
    ),
    Bug(
        "who-is-to-end-is-only-asked",
        "A child that ignores SIGTERM is not killed.",
        "cli/child.py",
        "                process.kill()\n            return None\n",
        "                process.terminate()\n            return None\n",
        (checks.KILLED,),
    ),
    Bug(
        "started-again-though-nothing-mends-it",
        "A child that ended with 2 is started again for ever.",
        "cli/child.py",
        "        if code == Code.USAGE:\n",
        "        if code == -Code.USAGE:\n",
        (checks.FOR_GOOD,),
    ),
    Bug(
        "the-machines-time-counts",
        "A process that was stopped, or waited for a processor, is judged by the clock.",
        "runtime/own_time.py",
        "        self.seconds += min(MOST, max(0.0, possible))\n",
        "        self.seconds += now - self._now\n",
        (checks.OWN_TIME, checks.PATIENT),
    ),
    Bug(
        "an-idle-connection-holds-the-pages",
        "Ops pages wait for whoever has connected and sends nothing.",
        "runtime/ops.py",
        "            async with asyncio.timeout(PATIENCE):\n",
        "            async with asyncio.timeout(3600):\n",
        (checks.HUNG_UP,),
    ),
    Bug(
        "a-crowd-holds-the-pages",
        "Ops pages hang up on whoever comes while others have all connections.",
        "runtime/ops.py",
        "            first = next(iter(self._connections))\n",
        "            writer.transport.abort()\n            return\n            first = next(iter(self._connections))\n",
        (checks.CROWD,),
    ),
    Bug(
        "a-wrong-key-tried-again",
        "A worker with the wrong identity key ends as if a restart mended it.",
        "agents/key_record.py",
        "from engine.kafka.errors import Permanent",
        "from engine.kafka.errors import Fatal as Permanent",
        (checks.KEY_FOR_GOOD,),
    ),
    Bug(
        "main-thread-closes",
        "A rebalance that meets a worker which ends has the main thread close what another thread is reading from.",
        "engine/faust/consumer_thread.py",
        "    def close(self) -> None:\n",
        "    def close_not(self) -> None:\n",
        (checks.THREAD,),
    ),
)
