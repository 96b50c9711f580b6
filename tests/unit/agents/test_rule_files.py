"""Rules as files: the shipped ones pass their own tests; a wrong one says where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.rule_files import BUILT_IN, NoRules, digest, load, run_tests
from agents.vocabulary import vocabulary
from core.rules.reading import RuleError
from core.rules.rule import Rule
from schemas.registry import Registry

REGISTRY = Registry.discover()
VOCABULARY = vocabulary(REGISTRY)
RULES = load(BUILT_IN, VOCABULARY, REGISTRY.outreach).rules.values()


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_shipped_rule_passes_the_tests_that_stand_in_it(rule: Rule) -> None:
    assert len(rule.tests) >= 2
    assert [] == run_tests(rule, VOCABULARY)


def test_a_rule_that_does_not_do_what_its_test_says_is_told(tmp_path: Path) -> None:
    text = (BUILT_IN / "dunning-during-dispute.yaml").read_text().replace("category: billing}}}", "category: other}}}")
    (tmp_path / "broken.yaml").write_text(text)
    (rule,) = load(tmp_path, VOCABULARY, REGISTRY.outreach).rules.values()
    assert "alerts while a billing case is open, and ends when it is resolved" in [
        failure.case for failure in run_tests(rule, VOCABULARY)
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: warning", "severity: loud", "severity: 'loud' is none of info, warning, critical"),
        ("open: {case", "opne: {case", "if: opne is not a condition; known are all, any, none, field, open"),
        (
            "when: finance.dunning.sent.v1",
            "when: finance.dunning.sent",
            "when: 'finance.dunning.sent' is not an event type",
        ),
        (
            "if: {open: {case: {category: billing}}}",
            f"if: {{open: {{case: {{category: {'b' * 120}}}}}}}",
            "if.open.case: has more than 128 bytes; evidence carries it",
        ),
        ("cooldown: 7d", "cooldown: 7 days", "cooldown: '7 days' is not a duration"),
        (
            "notify: [finance]",
            "notify: [fnance]",
            "notify: 'fnance' receives no alerts; these departments do: finance, marketing, ops, sales, service",
        ),
        ("same: invoiceId", "same: level", "resolves.any[1].same: what resolves an alert can only name its key"),
        ("notify: [finance]", "notify: [web]", "notify: 'web' receives no alerts"),
        ("notify: [finance]", "notify: []", "notify: names no department"),
        ("invoice {invoiceId} went", "invoice {invoiceId went", "reason: "),
        ("invoice {invoiceId} went", "invoice {} went", "reason: {} is not a field"),
        ("invoice {invoiceId} went", "invoice {a.b} went", "reason: {a.b} is not a field"),
        ("version: 1", "version: true", "version: True is not a whole number"),
        ("if: {open: {case: {category: billing}}}", "if: {all: []}", "if.all: is empty"),
        (
            "if: {open: {case: {category: billing}}}",
            "if: {overdue: invoice, days: x}",
            "if.days: 'x' is not a whole number",
        ),
        ("if: {open: {case: {category: billing}}}", "if: {field: level, in: 3}", "'in' takes a list"),
        ("key: invoiceId", "colour: red", "colour: no such field"),
        ("action: Pause", "actoin: Pause", "actoin: no such field"),
    ],
)
def test_an_error_names_file_rule_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (BUILT_IN / "dunning-during-dispute.yaml").read_text()
    assert old in text
    (tmp_path / "mine.yaml").write_text(text.replace(old, new))
    with pytest.raises(RuleError) as raised:
        load(tmp_path, VOCABULARY, REGISTRY.outreach)
    assert str(raised.value).startswith("mine.yaml: rule dunning-during-dispute: ")
    assert said in str(raised.value)


UPSELL = (BUILT_IN / "upsell-moment.yaml").read_text()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({}, "is empty; rules are files that end in .yaml or .yml."),
        ({"rules.txt": UPSELL, "README": ""}, "has no rule, only README, rules.txt; rules are files that end in"),
        ({f"{n}.json": "{}" for n in range(4)}, "has no rule, only 0.json, 1.json, 2.json, …; rules are files"),
    ],
)
def test_a_folder_without_a_rule_is_refused_with_what_is_there(
    there: dict[str, str], said: str, tmp_path: Path
) -> None:
    for name, content in there.items():
        (tmp_path / name).write_text(content)
    for use in (lambda: load(tmp_path, VOCABULARY, REGISTRY.outreach), lambda: digest(tmp_path)):
        with pytest.raises(NoRules) as caught:
            use()
        assert f"{tmp_path} {said}" in str(caught.value)


def test_a_folder_that_is_missing_or_a_file_is_refused(tmp_path: Path) -> None:
    refused = r"^There is no folder /.*/ruels, so there are no rules\.\nCXBUS_RULES_DIR must name"
    with pytest.raises(NoRules, match=refused):
        load(tmp_path / "ruels", VOCABULARY, REGISTRY.outreach)
    (tmp_path / "a.yaml").write_text(UPSELL)
    with pytest.raises(NoRules, match=r"/a\.yaml is not a folder; rules are files in a folder\.\nCXBUS_RULES_DIR"):
        load(tmp_path / "a.yaml", VOCABULARY, REGISTRY.outreach)


def test_files_that_end_in_yml_are_read_too_and_a_rule_stands_in_one_of_both(tmp_path: Path) -> None:
    (tmp_path / "upsell-moment.yml").write_text(UPSELL)
    assert ["upsell-moment"] == list(load(tmp_path, VOCABULARY, REGISTRY.outreach).rules)
    before = digest(tmp_path)
    (tmp_path / "upsell-moment.yaml").write_text(UPSELL)
    assert before != digest(tmp_path)
    with pytest.raises(RuleError, match="another file has a rule of this name"):
        load(tmp_path, VOCABULARY, REGISTRY.outreach)
