"""The whole harness, small: a real Kafka, a real worker, a report on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from benchmarks import latency, throughput
from benchmarks.stage import Cluster, cluster
from benchmarks.topics import ClusterInUse, Topics
from benchmarks.worker import ROOT

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.bench]


def test_the_bus_and_the_limit_work_off_the_same_backlog_exactly(tmp_path: Path) -> None:
    options = throughput.parsed(
        [*["--events", "2000", "--rounds", "1", "--scenarios", "100-uniform", "--other", str(ROOT)], *common(tmp_path)]
    )
    with cluster(tmp_path, {}) as place:
        (report,) = throughput.measure(options, tmp_path, place)
        assert [] == Topics(place.bootstrap, 4).of_round("bench-")
    assert {} == report.skipped
    other, bus, limit = report.rounds
    assert ("other", "cxbus", "limit") == (other.contestant, bus.contestant, limit.contestant)
    assert other.alerts == bus.alerts
    assert "| other " in report.text()
    assert bus.timeline is not None
    assert bus.timeline.exact
    assert limit.timeline is None
    assert bus.events == limit.events == pytest.approx(2_000, rel=0.02)
    assert bus.timeline.entries < bus.events, "no event came twice, so nobody had to look for it"
    assert sum(bus.alerts.values()) > 0
    assert 0 == bus.details["through_links"], "a customer was not known"
    assert limit.events_per_second > bus.events_per_second
    assert min(bus.cpu_seconds, bus.broker_cpu_seconds or 0, bus.mebibytes, limit.mebibytes) > 0
    written = orjson.loads((tmp_path / "results" / f"{report.name}.json").read_bytes())
    assert "limit" == written["table"][0]["contestant"]


def test_alerts_are_timed_on_a_steady_stream(tmp_path: Path) -> None:
    settings = [
        "--rate",
        "200",
        "--warm",
        "1",
        "--seconds",
        "4",
        "--rounds",
        "1",
        "--scenario",
        "100-uniform",
        "--share",
        "0.1",
    ]
    options = latency.parsed([*settings, *common(tmp_path, "cxbus")])
    with cluster(tmp_path, {}) as place:
        text = latency.measure(options, tmp_path, place)
    (one,) = orjson.loads(next((tmp_path / "results").glob("*.json")).read_bytes())["rounds"]
    assert 80 == pytest.approx(one["delays"]["alerts"], abs=4)
    assert 0 == one["delays"]["missing"]
    assert 0 < one["delays"]["p50"] <= one["delays"]["p99"] <= one["delays"]["most"]
    assert "| cxbus " in text


def test_a_cluster_that_has_a_bus_is_not_touched(tmp_path: Path) -> None:
    with cluster(tmp_path, {}) as place:
        Topics(place.bootstrap, 4).identities()
        with pytest.raises(ClusterInUse, match=r"cx\.identities\.v1"), cluster(tmp_path, given(place)):
            pass
        assert ["cx.identities.v1"] == Topics(place.bootstrap, 4).of_bus()


def common(home: Path, contestants: str = "cxbus,limit") -> Sequence[str]:
    return ["--contestants", contestants, "--results", str(home / "results"), "--build", str(home / "build")]


def given(place: Cluster) -> dict[str, str]:
    return {"CXBUS_BOOTSTRAP": place.bootstrap}
