"""A performance from the first tick to the last: start the bus, play the story or show it again, stop everything."""

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

from .manifest import Outcome
from .play import Play
from .playbill import Playbill, remembered
from .stage import OutOfTime, Stage
from .story import story
from .summary import Summary
from .teller import Teller
from .witness import TOPICS, Witness

REGION = "GB"
"""The story's telephone number is British, and once it is written as in Britain."""
LIMIT = 120.0
"""Seconds for the story, once the bus is ready."""
PAUSE = 0.8
"""Seconds between two events, for somebody who reads along; also what keeps them apart when they are shown again."""


class Performance:
    """Tells the story on ``out``, and with ``as_json`` prints a summary on stdout.

    Whatever starts or asks the bus may raise: ``Problem``, and what ``Supervisor.start`` and kafka-python do.
    """

    def __init__(
        self, settings: Settings, expected: Outcome, out: TextIO, *, as_json: bool = False, verbose: bool = False
    ) -> None:
        self._settings = settings.model_copy(update={"phone_region": REGION})
        self._expected = expected
        self._out = out
        self._as_json = as_json
        self._verbose = verbose
        self._steps = Steps(out)
        self._teller = Teller(out)

    def once(self) -> Code:
        """Plays in a temporary directory, which stays only if something went wrong."""
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
        """Plays in the data directory, or shows again what was played there, and goes on until interrupted."""
        return self._perform(stay=True)

    def _perform(self, *, stay: bool) -> Code:
        began = time.monotonic()
        data_dir = self._settings.data_dir.absolute()
        self._steps.say(f"Starting the bus in {data_dir}")
        with Supervisor(self._settings, self._steps, verbose=self._verbose) as supervisor:
            try:
                supervisor.wait_ready()
                with Stage(supervisor.bootstrap, TOPICS, LIMIT) as stage:
                    return self._on(stage, began, stay=stay)
            except KeyboardInterrupt:
                self._steps.say("\nStopping…")
                raise

    def _on(self, stage: Stage, began: float, *, stay: bool) -> Code:
        playbill = remembered(self._settings.data_dir, stage.cluster) or self._announced(stage)
        told = story(playbill.now, playbill.suffix)
        witness = Witness(told)
        pause = PAUSE if stay else 0.0
        play = Play(told, stage, witness, self._teller, group=self._settings.app_id, pause=pause)
        stage.hear_from(playbill.offsets)
        late = None
        try:
            if playbill.played:
                play.show_again()
            else:
                play.perform()
                playbill.finished().save(self._settings.data_dir)
        except OutOfTime as error:
            late = str(error)
        summary = Summary(len(told.events), time.monotonic() - began, self._expected, witness.outcome(), late)
        if self._as_json:
            print(json.dumps(summary.plain()), flush=True)
        if not playbill.played:
            self._teller.verdict(summary)
        if late is not None and stay:
            self._steps.say(f"The logs are in {self._settings.data_dir.absolute() / 'logs'}")
        if late is not None:
            return Code.AWAY
        if stay:
            self._teller.what_next(playbill.suffix)
            play.stay()
        return Code.OK if summary.ok else Code.WRONG

    def _announced(self, stage: Stage) -> Playbill:
        """On somebody's cluster the people are this run's own, in our embedded one there are no others."""
        suffix = "" if self._settings.embedded else secrets.token_hex(4)
        playbill = Playbill(stage.cluster, time.time_ns() // 1000, suffix, stage.ends())
        playbill.save(self._settings.data_dir)
        return playbill
