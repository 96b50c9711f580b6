"""Which open transactions hold the bus back, and how they are ended."""

from __future__ import annotations

from cli.doctor.finding import Finding, Verdict
from cli.doctor.remedy import Commands
from cli.doctor.transactions import LONG, SLACK, CoordinatorState, Look, OpenTransaction, judge, suspects

COMMANDS = Commands("k:9092", scripts=True)
ONE = OpenTransaction("t", 3, 4711, 2, 99)
ABORT = "kafka-transactions.sh --bootstrap-server k:9092 abort --topic t --partition 3 --start-offset 99"
TIMEOUT = 60_000


def look(*known: CoordinatorState, now: int = 0, opened: tuple[OpenTransaction, ...] = (ONE,)) -> Look:
    return Look(now, frozenset(opened), known)


def known(started: int = 0, producer: int = 4711, partition: int = 3) -> CoordinatorState:
    return CoordinatorState("shop", producer, started, TIMEOUT, frozenset({("t", partition)}))


def found(one: Look, other: Look | None = None) -> list[Finding]:
    return [finding for finding in judge(one, other or one, COMMANDS) if finding.verdict is not Verdict.OK]


def test_a_short_one_is_well_and_no_reason_to_look_again() -> None:
    assert frozenset() == suspects(look(known(), now=LONG))
    assert [] == found(look(known(), now=LONG))


def test_one_that_no_coordinator_knows_hangs_and_must_be_aborted() -> None:
    (told,) = found(look())
    assert (Verdict.WRONG, (ABORT,)) == (told.verdict, told.advice)
    assert "t, partition 3, from offset 99: hangs" in told.found


def test_a_coordinator_that_knows_another_producer_or_partition_does_not_end_this_one() -> None:
    for other in (known(producer=1), known(partition=4)):
        assert [Verdict.WRONG] == [one.verdict for one in found(look(other))]


def test_a_publisher_s_long_one_is_a_warning_that_names_the_publisher() -> None:
    (told,) = found(look(known(), now=LONG + 1000))
    assert Verdict.WARNING == told.verdict
    assert "of shop, open for 16 s; it blocks consumers until it ends, at the latest after 1 min" in told.found


def test_one_that_should_long_have_been_aborted_is_wrong() -> None:
    assert [Verdict.WARNING] == [one.verdict for one in found(look(known(), now=TIMEOUT + SLACK))]
    (told,) = found(look(known(), now=TIMEOUT + SLACK + 1))
    assert Verdict.WRONG == told.verdict
    assert ABORT == told.advice[-1]


def test_only_what_both_looks_show_is_told() -> None:
    later = OpenTransaction("t", 3, 4711, 2, 120)
    for second in (look(opened=()), look(known()), look(opened=(later,))):
        assert [] == found(look(), second)


def test_beside_the_embedded_kafka_the_python_client_aborts() -> None:
    (told,) = judge(look(), look(), Commands("k:1", scripts=False))
    command = "python -m kafka.admin -b k:1 transactions abort -t t -p 3 --producer-id 4711 --producer-epoch 2"
    assert (command,) == told.advice
