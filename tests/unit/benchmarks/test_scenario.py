"""Names of scenarios."""

from __future__ import annotations

import pytest

from benchmarks.scenario import HEAD, ZIPF, Scenario, UnknownScenario


def test_a_name_says_how_many_customers_and_how_they_are_spread() -> None:
    assert Scenario("20k-uniform", 1_000, 20_000, 0.0) == Scenario.named("20k-uniform", 1_000)
    assert Scenario("1M-skewed", 1_000, 1_000_000, ZIPF) == Scenario.named("1M-skewed", 1_000)
    assert Scenario("1M-tilted", 1_000, 1_000_000, ZIPF, HEAD) == Scenario.named("1M-tilted", 1_000)
    assert Scenario("300-skewed", 1_000, 300, ZIPF) == Scenario.named("300-skewed", 1_000)


@pytest.mark.parametrize("name", ["", "20k", "uniform", "20G-uniform", "20k-normal", "0-uniform", "20k-uniform-x"])
def test_any_other_name_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(UnknownScenario, match="20k-uniform"):
        Scenario.named(name, 1_000)
