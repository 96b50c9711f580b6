"""Reads the state of this machine and changes nothing."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from agents.identifiers import Identifiers
from agents.rule_files import NoRules, digest
from core.rules.reading import RuleError
from runtime.settings import Settings, SettingsError

from ..bus import Bus
from ..health import announced, ask
from ..rules_in_force import rules as in_force
from ..rules_in_force import rules_dir
from .identity import GENERATED
from .machine import Folder, Rules, SettingsSource


def sources(bus: Bus) -> list[SettingsSource]:
    """The sources of this process's settings, with all names in them, unknown ones included."""

    env_file = Path(str(Settings.model_config["env_file"]))
    toml_file = Path(str(Settings.model_config["toml_file"]))
    return [
        SettingsSource("the command line", frozenset(bus.given.settings)),
        SettingsSource("the environment", _named(os.environ)),
        *([SettingsSource(str(env_file), _named(_dotenv(env_file)))] if env_file.is_file() else []),
        *([SettingsSource(str(toml_file), _toml(toml_file))] if toml_file.is_file() else []),
    ]


def _named(variables: Any) -> frozenset[str]:
    return frozenset(name.lower()[6:] for name in variables if name.lower().startswith("cxbus_"))


def _dotenv(path: Path) -> Any:

    return dotenv_values(path)


def _toml(path: Path) -> frozenset[str]:

    return frozenset(name.lower() for name in tomllib.loads(path.read_text(encoding="utf-8")))


def refused(bus: Bus) -> list[str]:
    """Error messages of settings that are only validated when they are used."""

    problems = []
    for use in (bus.settings.partition_count, lambda: fingerprint(bus)):
        try:
            use()
        except SettingsError as error:
            problems.append(str(error))
    return problems


def fingerprint(bus: Bus) -> str | None:
    """The fingerprint of this machine's identity key; None if the embedded bus has not made a key yet.

    Raises ``SettingsError``.
    """

    settings = bus.settings
    if settings.identity_key is None and settings.embedded and not (settings.data_dir / GENERATED).exists():
        return None
    return Identifiers(settings.key()).fingerprint


def folder(path: Path) -> Folder:
    """The data directory, judged by its nearest parent if it does not exist yet."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    reason = ""
    if not there.is_dir():
        reason = f"{there} is a file"
    elif not os.access(there, os.W_OK | os.X_OK):
        reason = f"no permission to write in {there}"
    return Folder(str(path.absolute()), reason, shutil.disk_usage(there).free)


def metrics(data_dir: Path) -> list[str]:
    """The metrics pages of the bus's processes that run here and answer."""
    asked = [ask(one.url, "/metrics") for one in announced(data_dir) if one.alive]
    return [answer.text for answer in asked if answer is not None and answer.ok]


def rules(bus: Bus) -> Rules:
    """The rules of this machine's folder, or why they can't be used."""

    folder = rules_dir(bus)
    known = ""
    try:
        known = digest(folder)
        found = in_force(bus)
        return Rules(str(folder), len(found.rules), known, "")
    except NoRules as error:
        return Rules(str(folder), 0, "", str(error))
    except RuleError as error:
        return Rules(str(folder), 0, known, str(error))
    except OSError as error:
        return Rules(str(folder), 0, known, f"{error.filename} can't be read: {error.strerror}")
