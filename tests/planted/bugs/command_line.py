"""Bugs of what a person meets first: the installation, its rules and the ``cxbus`` command."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "rules-left-out",
        "An installation has no rules: they stand in the source tree only.",
        "pyproject.toml",
        'rules = ["*.yaml"]',
        "rules = []",
        (checks.WHEEL, checks.INSTALLED_RULES),
    ),
    Bug(
        "no-rules-say-nothing",
        "A folder without any rule is taken for rules.",
        "agents/rule_files.py",
        "    if not found:\n",
        "    if not folder:\n",
        (checks.NO_RULES,),
    ),
    Bug(
        "sent-though-one-is-wrong",
        "`cxbus send` sends what came before the first wrong event.",
        "cli/send.py",
        "    if wrong:\n",
        "    if wrong == total:\n",
        (checks.NONE_IS_SENT,),
    ),
    Bug(
        "cut-array-is-sent",
        "Of an array that is cut short behind a comma `cxbus send` sends what there is.",
        "cli/event_file.py",
        "        if array and not sign:\n",
        "        if array and not sign and not number:\n",
        (checks.CUT_ARRAY,),
    ),
)
