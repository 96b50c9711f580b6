"""What is said of records that the bus did not write."""

from __future__ import annotations

from cli.doctor.finding import Verdict
from cli.doctor.foreign import ForeignRecord, judge


def test_none_is_well() -> None:
    (found,) = judge([], [])
    assert Verdict.OK == found.verdict


def test_whose_state_one_hides_is_said_with_its_place() -> None:
    told = [ForeignRecord("cx.journal.v1/3/17", None), ForeignRecord("cx.profiles.v1/2/5", "the customer c_1")]
    first, second = judge(told, [])
    assert "2 on the bus's own topics, the last at cx.profiles.v1/2/5" == first.found
    assert second.found.startswith("cx.profiles.v1/2/5 has the key of the customer c_1")


def test_a_record_of_a_later_version_is_wrong() -> None:
    (found,) = judge([], ["the record cx.journal.v1/3/17 was written by version 2 of the bus"])
    assert (Verdict.WRONG, True) == (found.verdict, "cx.journal.v1/3/17" in found.found)
