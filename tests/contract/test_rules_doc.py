"""What ``docs/rules.md`` shows is so: its rule passes its own tests, and tells what the page's program prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.rule_files import load, run_tests
from agents.vocabulary import vocabulary
from core.rules.conditions.kinds import KINDS
from schemas.codec import Codec
from schemas.registry import Registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
REGISTRY = Registry.discover()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with the rule of the page."""
    folder = tmp_path / "my-rules"
    folder.mkdir()
    (folder / "rule.yaml").write_text(blocks("yaml")[0])
    return folder


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}$\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def event(kind: str, time: str, **data: str) -> bytes:
    ada = {"identifiers": [{"type": "email", "value": "ada@example.com"}]}
    return Codec.encode_structured(type=kind, source="/try", id=kind, time=time, data={**data, "customer": ada})


def test_the_rule_passes_its_tests(rules: Path) -> None:
    known = vocabulary(REGISTRY)
    (rule,) = load(rules, known, REGISTRY.outreach).rules.values()
    assert 2 == len(rule.tests)
    assert [] == run_tests(rule, known)


def test_the_program_prints_what_marketing_is_told(
    rules: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(rules.parent)
    events = [
        event("finance.payment.declined.v1", "2026-03-02T09:00:00Z", invoiceId="I1"),
        event("marketing.campaign.sent.v1", "2026-03-03T09:00:00Z", campaignId="S1", channel="email"),
    ]
    Path("events.jsonl").write_bytes(b"\n".join(events))
    (program,) = blocks("python")
    exec(program, {})
    assert "Campaign S1 went out although a payment was refused in the last two days.\n" == capsys.readouterr().out


def test_the_section_is_a_dozen_lines() -> None:
    (section,) = re.findall(r"^## Try it without Kafka\n.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert section.strip().count("\n") < 12


def test_the_page_has_every_kind_of_condition() -> None:
    (section,) = re.findall(r"^## The conditions\n.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert [] == [name for name in KINDS if not re.search(rf"`\{{?{name}: ", section)]
