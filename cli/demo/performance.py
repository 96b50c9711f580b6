"""One run of the demo: start the bus, play the story or show it again, stop everything."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import TextIO

from cli.problem import Code
from cli.steps import Steps
from cli.supervisor import Supervisor
from runtime.settings import Settings

from .kafka_io import KafkaIO, OutOfTime
from .manifest import Outcome
from .narrator import Narrator
from .observed import TOPICS, Observed
from .play import Play
from .run_record import RunRecord, remembered
from .story import story
from .summary import Summary

REGION = "GB"
"""The story's telephone number is British, and one event has it in British national format."""
LIMIT = 120.0
"""Seconds for the story, once the bus is ready."""
PAUSE = 0.8
"""Seconds between two events, so that a person can follow. It also separates them when the story is shown again."""


def of_demo(settings: Settings) -> Settings:
    """The settings of a demo: its story's region, and one worker unless a number is given: it has a dozen events."""
    workers = 1 if settings.workers == "auto" else settings.workers
    return settings.model_copy(update={"phone_region": REGION, "workers": workers})


class Performance:
    """Prints the story on ``out``, and with ``as_json`` a summary on stdout.

    Its methods raise ``Problem``, and what ``Supervisor.start`` and kafka-python raise.
    """

    def __init__(
        self, settings: Settings, expected: Outcome, out: TextIO, *, as_json: bool = False, verbose: bool = False
    ) -> None:
        self._settings = of_demo(settings)
        self._expected = expected
        self._out = out
        self._as_json = as_json
        self._verbose = verbose
        self._steps = Steps(out)
        self._narrator = Narrator(out)

    def once(self) -> Code:
        """Play in a temporary directory, which is kept only if something went wrong."""
        home = Path(tempfile.mkdtemp(prefix="cxbus-demo-"))
        database = f"sqlite:///{home / 'cxbus.db'}"
        self._settings = self._settings.model_copy(update={"data_dir": home, "database": database, "ops_port": 0})
        keep = True
        try:
            code = self._perform(stay=False)
            keep = code is not Code.OK
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            if keep:
                self._steps.say(f"What this run left is kept in {home}")
            else:
                shutil.rmtree(home, ignore_errors=True)
        return code

    def stay(self) -> Code:
        """Play in the data directory, or show again what was played there, then follow the bus until interrupted."""
        return self._perform(stay=True)

    def _perform(self, *, stay: bool) -> Code:
        began = time.monotonic()
        data_dir = self._settings.data_dir.absolute()
        self._steps.say(f"Starting the bus in {data_dir}")
        with Supervisor(self._settings, self._steps, verbose=self._verbose) as supervisor:
            try:
                supervisor.wait_ready()
                with KafkaIO(supervisor.bootstrap, TOPICS, LIMIT) as kafka:
                    return self._on(kafka, began, stay=stay)
            except KeyboardInterrupt:
                self._steps.say("\nStopping…")
                raise

    def _on(self, kafka: KafkaIO, began: float, *, stay: bool) -> Code:
        run_record = remembered(self._settings.data_dir, kafka.cluster) or self._announced(kafka)
        told = story(run_record.now, run_record.suffix)
        observed = Observed(told)
        pause = PAUSE if stay else 0.0
        play = Play(told, kafka, observed, self._narrator, group=self._settings.app_id, pause=pause)
        kafka.hear_from(run_record.offsets)
        late = None
        try:
            if run_record.played:
                play.show_again()
            else:
                play.perform()
                run_record.finished().save(self._settings.data_dir)
        except OutOfTime as error:
            late = str(error)
        summary = Summary(len(told.events), time.monotonic() - began, self._expected, observed.outcome(), late)
        if self._as_json:
            print(json.dumps(summary.plain()), flush=True)
        if not run_record.played:
            self._narrator.verdict(summary)
        if late is not None and stay:
            self._steps.say(f"The logs are in {self._settings.data_dir.absolute() / 'logs'}")
        if late is not None:
            return Code.AWAY
        if stay:
            self._narrator.what_next(run_record.suffix)
            play.stay()
        return Code.OK if summary.ok else Code.WRONG

    def _announced(self, kafka: KafkaIO) -> RunRecord:
        """Save and return the record of a new run. On a given cluster its customers get a suffix, so that they are new;
        the embedded Kafka has no others.
        """
        suffix = "" if self._settings.embedded else secrets.token_hex(4)
        run_record = RunRecord(kafka.cluster, time.time_ns() // 1000, suffix, kafka.ends())
        run_record.save(self._settings.data_dir)
        return run_record
