"""A customer's profile, written down and read again."""

from __future__ import annotations

import orjson
import pytest
from core.state import Customer
from core.timeline import Timeline

from agents import messages
from core.event import HOUR, Entry
from core.journey import step

from ..core.bench import RULES, START, Memory, arrived, campaign, complaint, entry

PLAN = RULES.plan


class Book:
    """One customer, of whom every event is written down."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.customer = Customer("c_1", Timeline(PLAN), name='Zoë "Z" O\'Neil')

    def add(self, made: Entry) -> bytes:
        """The profile after it."""
        step(self.customer, arrived(made), RULES, self.memory, made.at)
        self.memory.held.setdefault("c_1", {})[made.uid] = arrived(made)
        return self.written()

    def written(self) -> bytes:
        """The profile now."""
        return messages.profile(self.customer, "m")


def state_of(message: bytes) -> object:
    return orjson.loads(message)["data"]


def resolved(at: int, number: int, case: str = "K1") -> Entry:
    return entry(at, "service.case.resolved.v1", {"caseId": case}, number)


STORY = [
    complaint(START),
    campaign(START + HOUR),
    campaign(START + 2 * HOUR, 101, "S2"),
    entry(START + 3 * HOUR, "service.case.opened.v1", {"caseId": "K2", "category": "question"}, 7),
    resolved(START + 4 * HOUR, 8),
    campaign(START + 5 * HOUR, 102, "S3"),
    resolved(START + 6 * HOUR, 9, "K2"),
]


def test_a_profile_that_is_read_and_written_again_is_the_same() -> None:
    book = Book()
    for made in STORY:
        message = book.add(made)
        again = messages.customer(message, PLAN)
        assert {*again.timeline.sealed} == {*book.customer.timeline.streams}
        assert message == messages.profile(again, "m")
        assert state_of(message) == orjson.loads(orjson.dumps(again.document()))


def test_whoever_is_read_again_before_every_event_gets_the_same_profile() -> None:
    kept, fresh = Book(), Book()
    for made in STORY:
        fresh.customer = messages.customer(fresh.written(), PLAN)
        assert state_of(kept.add(made)) == state_of(fresh.add(made))


def test_only_what_an_event_asks_for_is_read() -> None:
    book = Book()
    for made in STORY[:3]:
        book.add(made)
    book.customer = messages.customer(book.written(), PLAN)
    book.add(entry(START + 3 * HOUR, "web.page.viewed.v1", {"url": "https://example.com/"}, 7))
    assert "case" in book.customer.timeline.sealed


def test_a_redirect_is_read_and_written_again() -> None:
    away = messages.profile(Customer("c_1", Timeline(PLAN), merged_into="c_0", version=7, clock=START), "m")
    again = messages.customer(away, PLAN)
    assert ("c_0", 7, START) == (again.merged_into, again.version, again.clock)
    assert away == messages.profile(again, "m")


@pytest.mark.parametrize("streams", [{}, [], None])
def test_a_profile_of_another_form_is_refused(streams: object) -> None:
    told = {"customerId": "c_1", "state": {"schema": 99, "clock": 1, "streams": streams, "alerts": 5}}
    message = orjson.dumps({"data": told})
    with pytest.raises(messages.OtherVersion):
        messages.customer(message, PLAN)
    with pytest.raises(messages.OtherVersion):
        messages.clock(message)


def test_the_clock_is_read_without_the_rest() -> None:
    book = Book()
    assert START == messages.clock(book.add(complaint(START)))
