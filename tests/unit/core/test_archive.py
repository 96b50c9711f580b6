"""Closed alerts: kept apart from the customer, asked for by whatever is not in order, written only when they change."""

from __future__ import annotations

import pytest

from core.alerts.alert import Life
from core.customer.archive import LifeChange
from core.customer.step import Merge, MovedOut
from core.timeline.entry import DAY, HOUR

from .bench import ALWAYS, START, Bus, arrived, campaign, complaint, ruled, visit

DAILY = {"if": ALWAYS, "expires": "1h"}


@pytest.fixture(params=[False, True], ids=["read again", "kept"])
def bus(request: pytest.FixtureRequest) -> Bus:
    """A customer of whom 30 alerts were told, one a day: 29 are archived."""
    bus = Bus(ruled(DAILY), kept=bool(request.param))
    for day in range(30):
        bus.arrive("c", arrived(campaign(START + day * DAY, day)), START + day * DAY)
    assert (29, 1) == (bus.customer("c").archived, len(bus.customer("c").alerts))
    return bus


def moved(outputs: object) -> list[tuple[Life, int]]:
    """Which alerts were archived, and which are archived no longer, by the day of their time."""
    assert isinstance(outputs, list)
    return [(one.life, (one.alert.time - START) // DAY) for one in outputs if isinstance(one, LifeChange)]


def test_what_is_archived_is_written_once_and_stands_apart(bus: Bus) -> None:
    outputs = bus.arrive("c", arrived(campaign(START + 30 * DAY, 30)), START + 30 * DAY)
    assert [(Life.ARCHIVED, 29)] == moved(outputs)
    assert list(range(30)) == [(alert.time - START) // DAY for alert in bus.memory.archived("c")]
    small, large = Bus(bus.rules), len(bus.documents["c"].state)
    for day in (0, 1):
        small.arrive("c", arrived(campaign(START + day * DAY, day)), START + day * DAY)
    assert large < len(small.documents["c"].state) + 50


def test_a_late_event_that_changes_no_archived_alert_writes_none_of_them(bus: Bus) -> None:
    outputs = bus.arrive("c", arrived(complaint(START + 5 * DAY + HOUR, 99)), START + 30 * DAY)
    assert [] == moved(outputs)
    assert 30 == len(bus.alerts("c"))


def test_a_late_event_that_changes_one_writes_that_one() -> None:
    rules = ruled({"if": ALWAYS, "key": "campaignId", "expires": "1h", "resolves": {"seen": "web.page.viewed.v1"}})
    bus = Bus(rules)
    for day in range(9):
        bus.arrive("c", arrived(campaign(START + day * DAY, day, f"S{day}")), START + day * DAY)
    outputs = bus.arrive("c", arrived(visit(START + 5 * DAY + 60_000_000, 99)), START + 30 * DAY)
    assert [(Life.ARCHIVED, 5)] == [one for one in moved(outputs) if one != (Life.ARCHIVED, 8)]
    ended = next(alert for alert in bus.memory.archived("c") if alert.key == "S5")
    assert START + 5 * DAY + 60_000_000 == ended.end


def test_a_retracted_one_is_taken_out() -> None:
    bus = Bus(ruled({**DAILY, "if": {"none": [{"seen": "web.page.viewed.v1", "within": "30m"}]}}))
    for day in range(4):
        bus.arrive("c", arrived(campaign(START + day * DAY, day)), START + day * DAY)
    outputs = bus.arrive("c", arrived(visit(START + DAY - 60_000_000, 99)), START + 4 * DAY)
    assert [(Life.FORGOTTEN, 1)] == [one for one in moved(outputs) if one != (Life.ARCHIVED, 3)]
    assert START + DAY not in [alert.time for alert in bus.alerts("c")]


def test_archived_alerts_are_forgotten_one_by_one_in_time(bus: Bus) -> None:
    outputs = bus.arrive("c", arrived(complaint(START + 402 * DAY, 101)), START + 402 * DAY + 2 * HOUR)
    assert [(Life.ARCHIVED, 29), (Life.FORGOTTEN, 0), (Life.FORGOTTEN, 1), (Life.FORGOTTEN, 2)] == moved(outputs)
    assert (27, 27) == (bus.customer("c").archived, len(bus.memory.archived("c")))
    outputs = bus.arrive("c", arrived(complaint(START + 403 * DAY, 102)), START + 403 * DAY)
    assert [] == moved(outputs)
    outputs = bus.arrive("c", arrived(complaint(START + 404 * DAY, 103)), START + 403 * DAY + 2 * HOUR)
    assert [(Life.FORGOTTEN, 3)] == moved(outputs)


def test_archived_alerts_go_along_with_a_merge(bus: Bus) -> None:
    shipped = bus.arrive("c", Merge("a", 3), START + 30 * DAY)
    assert 29 == len([one for one in moved(shipped) if one[0] is Life.FORGOTTEN])
    assert [] == bus.memory.archived("c")
    assert (0, []) == (bus.customer("c").archived, bus.customer("c").alerts)
    (sent,) = [one for one in shipped if isinstance(one, MovedOut)]
    assert 30 == len(sent.alerts)


def test_rules_with_a_shorter_cooldown_forget_earlier() -> None:
    bus = Bus(ruled({**DAILY, "cooldown": "30d"}, {"if": ALWAYS, "when": "service.conversation.ended.v1"}))
    bus.arrive("c", arrived(campaign(START, 1)), START)
    bus.arrive("c", arrived(campaign(START + 40 * DAY, 2)), START + 40 * DAY)
    assert 1 == bus.customer("c").archived
    bus.change_rules(ruled(DAILY))
    outputs = bus.arrive("c", arrived(visit(START + 41 * DAY, 3)), START + 401 * DAY)
    assert (Life.FORGOTTEN, 0) in moved(outputs)
    assert "retracted" not in [said.state for _, said in bus.said]
