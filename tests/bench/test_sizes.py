"""Restore, growth and scale, small: a real Kafka, real workers, a report on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks import growth, restore, scale
from benchmarks.stage import cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.bench]


def test_a_worker_and_faust_restore_all_that_is_on_the_topics(tmp_path: Path) -> None:
    settings = ["--customers", "400", "--entries", "2000", "--tenth", "2"]
    with cluster(tmp_path, {}) as place:
        text = restore.measure(restore.parsed([*settings, *common(tmp_path)]), tmp_path, place)
    rounds = {one["contestant"]: one for one in written(tmp_path)["rounds"]}
    assert {"cxbus": 2_400, "cxbus, warm cache": 0, "faust_memory": 1_200, "faust_rocksdb": 1_200} == {
        name: one["records"] for name, one in rounds.items() if name != restore.WHOLE
    }
    assert 2_400 + 801 == rounds[restore.WHOLE]["records"], "the resolver reads key, customers and identifiers"
    assert "| cxbus " in text


def test_more_customers_and_longer_timelines_get_the_same_work(tmp_path: Path) -> None:
    settings = ["--customers", "100,300", "--events", "500", "--recent", "", "--timelines", ""]
    text = growth.measure(growth.parsed([*settings, *common(tmp_path)]), tmp_path)
    (series,) = written(tmp_path)["series"]
    assert [("100 × 1", 500, 0), ("300 × 1", 500, 0)] == [
        (one["case"], one["events"], one["late"]) for one in series["rounds"]
    ]
    assert min(one["cpu_microseconds"] for one in series["rounds"]) > 0
    assert "| 300 × 1 " in text


def test_two_workers_and_a_sink_work_off_the_same_backlog(tmp_path: Path) -> None:
    settings = ["--events", "4000", "--scenario", "200-uniform", "--workers", "2", "--partitions", "4"]
    with cluster(tmp_path, {}) as place:
        text = scale.measure(scale.parsed([*settings, *common(tmp_path)]), tmp_path, place)
    found = written(tmp_path)
    assert [] == found["failures"]
    assert ["workers-2"] == [one["contestant"] for one in found["workers"]]
    assert [scale.ALONE, scale.BESIDE] == [one["contestant"] for one in found["beside"]]
    assert found["beside"][1]["details"]["sink_records"] > 4_000
    assert "A sink alone" in text


def common(home: Path) -> Sequence[str]:
    return ["--rounds", "1", "--results", str(home / "results")]


def written(home: Path) -> Any:
    return orjson.loads(next((home / "results").glob("*.json")).read_bytes())
