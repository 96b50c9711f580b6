"""The shutdown of this process: a request to end is received whatever the event loop does, and a shutdown is bounded.

Threads of its own do both. Too many things can hang during a shutdown to handle each: a task that can't be cancelled, a
client's thread, the interpreter that waits for all threads, an exit handler.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

log = structlog.get_logger("runtime.shutdown")

SECONDS = 30.0
"""The longest shutdown, in seconds."""
WORDS_SECONDS = 2.0
"""Seconds for the last log record: a terminal or pipe that accepts none must not delay the end either."""
REQUESTS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """The shutdown of the process; one for each process. ``seconds``: the longest shutdown."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.hanging: Callable[[], str] = lambda: ""
        """Names the work that is still running, for the last log record. Called in a thread."""
        self._seconds = seconds
        self.requested = threading.Event()
        """Set once somebody has asked this process to end."""
        self._told: list[Callable[[], object]] = []
        self._lock = threading.RLock()
        self._sooner = threading.Condition(self._lock)
        self._due = float("inf")
        self._why, self._code, self._began = "", 1, 0.0
        self._listening = False

    # --- receiving a request ----------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Handle SIGTERM and SIGINT from now on. Call it in the main thread, before other threads start; later calls
        are ignored.

        Threads that start later inherit a mask that blocks these signals, so that a thread here takes them although the
        main thread may be blocked for good. The main thread handles a signal that is delivered to an older thread.
        """
        if self._listening:
            return
        self._listening = True
        with suppress(RuntimeError, ValueError, OSError):  # there may be no standard error
            faulthandler.enable()  # a crash in C prints where
        for number in REQUESTS:
            signal.signal(number, lambda _number, _frame: self._request())  # an older thread may get the signal
        signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
        threading.Thread(target=self._hear, name="signals", daemon=True).start()

    def on_request(self, call: Callable[[], object]) -> None:
        """Call ``call``, in some thread, when the process is asked to end; at once if it was asked already."""
        with self._lock:
            self._told.append(call)
        if self.requested.is_set():
            call()

    def _hear(self) -> None:
        while True:
            signal.sigwait(REQUESTS)
            self._request()

    def _request(self) -> None:
        self.begin("it was asked to stop", 1)
        if not self.requested.is_set():
            self.requested.set()
            for call in tuple(self._told):
                with suppress(RuntimeError):  # its loop is closed
                    call()

    # --- enforcing the limit ----------------------------------------------------------------------------------------

    def begin(self, why: str, code: int, seconds: float | None = None) -> None:
        """From now on the process has ``seconds`` to end by itself; then it exits hard, with exit code ``code``.

        The earliest deadline counts. Can be called from any thread.
        """
        now, seconds = time.monotonic(), self._seconds if seconds is None else min(seconds, self._seconds)
        with self._sooner:
            if self._due == float("inf"):
                threading.Thread(target=self._see_through, name="shutdown", daemon=True).start()
            if now + seconds < self._due:
                self._due, self._why, self._code, self._began = now + seconds, why, code, now
                self._sooner.notify()
        with suppress(RuntimeError, ValueError, OSError):  # there may be no standard error
            # a timer in C, in case no Python thread runs any more
            faulthandler.dump_traceback_later(self._due - now + 2 * WORDS_SECONDS, exit=True)

    def _see_through(self) -> None:
        with self._sooner:
            while (left := self._due - time.monotonic()) > 0:
                self._sooner.wait(left)
        saying = threading.Thread(target=self._last_words, name="last log record", daemon=True)
        saying.start()
        saying.join(WORDS_SECONDS)
        os._exit(self._code)

    def _last_words(self) -> None:
        threads = [one.name for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
        given = self._due - self._began
        log.critical(
            "process exits without a clean shutdown",
            reason=self._why + (f", and did not stop within {given:g} s" if given else ""),
            threads=threads,
            hanging=self.hanging(),
        )
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
