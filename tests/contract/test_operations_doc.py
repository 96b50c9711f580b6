"""``docs/operations.md`` has every setting with its default, and every metric with its labels, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from runtime.settings import Settings
from sinks.metrics import SinkMetrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DEFAULTS = {"blocked_identifiers": "[]", "identifier_types": "[]"}
"""Defaults that are made by a function."""


def cells(section: str) -> Mapping[str, list[str]]:
    """The table lines of a section that begin with a name: by each name the other cells."""
    (text,) = re.findall(rf"^## {section}$.*?^## ", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, list[str]] = {}
    for line in re.findall(r"^\| `.*\|$", text, re.MULTILINE):
        names, *rest = (cell.strip() for cell in line.strip("|").split("|"))
        found.update(dict.fromkeys(re.findall(r"`([^`]+)`", names), rest))
    return found


def metrics() -> Mapping[str, str]:
    """Every metric of a worker and a sink as Prometheus names it, with its labels."""
    registries = (CollectorRegistry(), CollectorRegistry())
    made: Iterable[object] = (Metrics(registries[0]), SinkMetrics(registries[1]))
    found = {}
    for instance in made:
        for metric in vars(instance).values():
            if hasattr(metric, "_labelnames"):  # the library shows them nowhere else
                name = metric._name + ("_total" if metric._type == "counter" else "")
                found[name] = ", ".join(metric._labelnames)
    return found


def test_the_page_has_every_setting_and_no_other() -> None:
    assert {f"CXBUS_{name.upper()}" for name in Settings.model_fields} == set(cells("Settings"))


def test_every_setting_has_a_unit_its_default_and_a_sentence() -> None:
    said = cells("Settings")
    for name, field in Settings.model_fields.items():
        unit, default, sentence = said[f"CXBUS_{name.upper()}"]
        plain = DEFAULTS.get(name, field.default)
        assert plain is None or default.startswith(f"`{plain}`"), name
        assert unit, name
        assert default, name
        assert sentence, name


def test_the_page_has_every_metric_with_its_labels_and_no_other() -> None:
    assert metrics() == {name: labels for name, (labels, _) in cells("Ops pages").items()}


def test_the_prometheus_rules_ask_for_metrics_and_labels_that_exist() -> None:
    loaded = yaml.safe_load((ROOT / "deploy" / "prometheus" / "cxbus.rules.yaml").read_text(encoding="utf-8"))
    known = metrics()
    rules = [rule for group in loaded["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        asked = re.findall(r"\bcxbus_\w+", rule["expr"])
        assert asked
        assert set(asked) <= known.keys(), rule["alert"]
        labels = {label for name in asked for label in known[name].split(", ")}
        told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert told <= labels, rule["alert"]
        assert f"`{rule['alert']}`" in PAGE, "docs/operations.md says what to do"
