"""What an owner concludes from where its own records come to stand."""

from __future__ import annotations

from aiokafka import TopicPartition

from engine.kafka.cluster import Cluster
from engine.kafka.mark import MARK
from engine.kafka.record import Record
from engine.transactional.foreign_search import FOUND_BYTES, MUCH, ForeignSearch
from engine.transactional.transaction import Output, Targets, by_target

STATE, OTHER = TopicPartition("state", 0), TopicPartition("other", 0)
CLUSTER = Cluster("cluster", {"state": "id"})


def some(number: int) -> Targets:
    return {STATE: [Output("state", 0, b"k", b"v")] * number, OTHER: [Output("other", 0, b"k", b"v")]}


def foreign(offset: int, size: int = 1) -> Record:
    return Record("state", 0, offset, 0, b"k", b"x" * size)


def test_between_two_transactions_lies_one_marker_and_what_is_more_is_a_hole() -> None:
    search = ForeignSearch({STATE: 10}, CLUSTER)
    assert {} == search.written(some(3), {STATE: 13, OTHER: 99})
    assert {} == search.written(some(2), {STATE: 16, OTHER: 101})  # 13: the marker
    assert {} == search.written(by_target([Output("other", 0, b"k", b"v")]), {OTHER: 103})
    assert {STATE: 20} == search.written(some(2), {STATE: 20, OTHER: 105})  # 16: the marker, 17: somebody else
    assert {"id/0": 16} == search.for_progress()
    search.finished({STATE: 20})
    assert {} == search.written(some(1), {STATE: 22, OTHER: 107})
    assert {"id/0": 22} == search.for_progress()


def test_the_first_transaction_after_an_opening_may_have_nothing_before_it() -> None:
    assert {STATE: 12} == ForeignSearch({STATE: 10}, CLUSTER).written(some(1), {STATE: 12, OTHER: 1})


def test_one_between_batches_of_a_transaction_is_a_hole() -> None:
    search = ForeignSearch({STATE: 10}, CLUSTER)
    assert {STATE: 21} == search.written(some(10), {STATE: 21, OTHER: 1})


def test_where_the_broker_told_no_end_the_next_transaction_looks() -> None:
    search = ForeignSearch({STATE: 10}, CLUSTER)
    assert {} == search.written(some(3), {STATE: 2, OTHER: 1})
    assert {STATE: 15} == search.written(some(1), {STATE: 15, OTHER: 3})


def test_what_was_reported_is_known_and_what_there_is_no_room_for_is_left() -> None:
    search = ForeignSearch({STATE: 10}, CLUSTER)
    mine = Record("state", 0, 12, 0, b"k", b"v", (MARK,))
    records = [foreign(9), foreign(11, FOUND_BYTES - 10), mine, foreign(13, 5_000), foreign(14)]
    assert [mine] == search.sift(records)
    search.finished({STATE: 20})
    assert [11] == [record.offset for record in search.reported()]
    assert {"id/0": 13} == search.for_progress()
    assert [] == search.reported()


def test_who_has_looked_through_much_tells_it_even_if_nothing_was_found() -> None:
    search = ForeignSearch({STATE: 10}, CLUSTER)
    search.finished({STATE: 9 + MUCH})
    assert not search.report_due
    search.finished({STATE: 10 + MUCH})
    assert search.report_due
    assert {"id/0": 10 + MUCH} == search.for_progress()
    assert not search.report_due
    search.sift([foreign(10 + MUCH)])
    assert search.report_due
