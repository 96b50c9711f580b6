"""What is said of closings that closed nothing."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from agents.metrics import Metrics
from cli.doctor.closings import counted, judge
from cli.doctor.finding import Verdict

RESOLVED, PAID = "service.case.resolved.v1", "finance.payment.received.v1"


def page(*closings: tuple[str, str, int]) -> str:
    """A worker's metrics."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for department, name, number in closings:
        metrics.unmatched_closings.labels(department, name).inc(number)
    return generate_latest(registry).decode()


def test_workers_that_counted_none_are_well_and_no_worker_says_nothing() -> None:
    assert counted([]) is None
    assert counted(["# a sink's page\n"]) is None
    found = counted([page()])
    assert found is not None
    assert [Verdict.OK] == [one.verdict for one in judge(found)]


def test_each_department_is_named_with_its_types_of_all_workers_together() -> None:
    found = counted([page(("service", RESOLVED, 2)), page(("service", RESOLVED, 1), ("finance", PAID, 1))])
    assert {("service", RESOLVED): 3, ("finance", PAID): 1} == found
    finance, service = judge(found)
    assert (Verdict.WARNING, Verdict.WARNING) == (finance.verdict, service.verdict)
    assert finance.found.startswith("1 event of finance closed no matter of their customer since")
    assert service.found.endswith(f"started: 3 {RESOLVED}")
