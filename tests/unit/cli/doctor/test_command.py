"""How findings are told."""

from __future__ import annotations

import pytest

from cli.doctor.command import lines, summary
from cli.doctor.finding import Finding, ok, warning, wrong


def test_a_finding_is_a_line_and_its_remedies_stand_below_it() -> None:
    assert ["✓ rules: 4"] == lines(ok("rules", "4"))
    assert ["✗ t: gone", "    → do this", "    → then that"] == lines(wrong("t", "gone", "do this", "then that"))


def test_what_a_terminal_might_obey_is_spelt_out() -> None:
    assert ["! t: a\\u001b[1mb", "    → c\\u0007"] == lines(warning("t", "a\x1b[1mb", "c\x07"))


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([ok("a", "")], "1 check: all is well."),
        ([ok("a", ""), warning("b", "", "x")], "2 checks: 1 warning."),
        ([wrong("a", "", "x"), warning("b", "", "x"), warning("c", "", "x")], "3 checks: 1 wrong and 2 warnings."),
    ],
)
def test_the_last_line_counts(findings: list[Finding], words: str) -> None:
    assert words == summary(findings)
