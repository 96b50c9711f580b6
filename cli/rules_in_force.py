"""The alert rules in force: those of the folder in the settings, else the shipped ones."""

from __future__ import annotations

from pathlib import Path

from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from core.rules.ruleset import RuleSet

from .bus import Bus


def rules_dir(bus: Bus) -> Path:
    """The folder of the rules in force."""
    return bus.settings.rules_dir or BUILT_IN


def rules(bus: Bus) -> RuleSet:
    """The rules in force. Raises ``agents.rule_files.RuleFileError``."""
    return load(rules_dir(bus), vocabulary(bus.registry), bus.registry.outreach)
