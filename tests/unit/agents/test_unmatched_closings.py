"""How closings that close nothing are counted: once for each record that was committed."""

from __future__ import annotations

from structlog.testing import capture_logs

from core.timeline.entry import uid_bytes
from engine.transactional.transaction import Output
from engine.transactional.unit import decided
from schemas.codec import Decoded
from schemas.journal import event_headers
from schemas.topics import JOURNAL, partition_of

from .bench import CODEC, MARK, PARTITIONS, Journal, event

CUSTOMER = "c_1"
PLACE = partition_of(CUSTOMER, PARTITIONS)
OPENED, RESOLVED = "service.case.opened.v1", "service.case.resolved.v1"


def counted(journal: Journal) -> dict[tuple[str, str], float]:
    """By department and type."""
    (family,) = journal.journey(PLACE)._metrics.unmatched_closings.collect()
    return {(one.labels["department"], one.labels["type"]): one.value for one in family.samples}


def resolved(number: int) -> bytes:
    return event(RESOLVED, "2026-11-17T09:00:00Z", number, caseId=f"K{number}")


def test_a_closing_of_a_case_that_another_customer_has_is_counted_by_department_and_type(journal: Journal) -> None:
    journal.publish("c_2", event(OPENED, "2026-11-16T09:00:00Z", caseId="K1", category="complaint"))
    journal.publish("c_2", resolved(1))
    journal.publish(CUSTOMER, resolved(1))
    journal.publish(CUSTOMER, event("web.page.viewed.v1", "2026-11-17T10:00:00Z", url="/"), "web")
    assert {("service", RESOLVED): 1} == counted(journal)


def test_a_copy_and_a_unit_of_work_that_is_decided_again_count_once(journal: Journal) -> None:
    journal.publish(CUSTOMER, resolved(1))
    journal.publish(CUSTOMER, resolved(1))
    assert {("service", RESOLVED): 1} == counted(journal)
    decoded = CODEC.decode("service", resolved(2), [])
    assert isinstance(decoded, Decoded)
    uid = uid_bytes("/test", f"{RESOLVED}-2")
    headers = event_headers("cx.service.events.v1/0/7", journal.clock * 1000, decoded.time, uid)
    record = journal.append(Output(JOURNAL, PLACE, CUSTOMER.encode(), resolved(2), headers))
    journey = journal.journey(PLACE)
    decided(journey, [record])  # whose transaction was aborted
    assert {("service", RESOLVED): 1} == counted(journal)
    decided(journey, [record])
    journey.committed(MARK)
    assert {("service", RESOLVED): 2} == counted(journal)


def test_one_of_each_type_is_named_in_the_log_with_the_record_of_its_department(journal: Journal) -> None:
    with capture_logs() as lines:
        journal.publish(CUSTOMER, resolved(1))
        journal.publish(CUSTOMER, resolved(2))
    (line,) = [one for one in lines if one["event"] == "a closing event closes no matter of its customer"]
    assert RESOLVED == line["type"]
    assert line["origin"].startswith("cx.service.events.v1/0/")
