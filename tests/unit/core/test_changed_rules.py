"""Rules and contracts that changed since a customer was last heard of."""

from __future__ import annotations

import pytest

from core.rules.parsing import parse_rule
from core.rules.ruleset import RuleSet
from core.timeline.entry import DAY, HOUR, Entry
from core.timeline.vocabulary import Vocabulary

from .bench import START, VOCABULARY, Bus, arrived, campaign, complaint, entry

SERVICE = {"campaignId": "N", "channel": "email", "purpose": "service"}


def rules(vocabulary: Vocabulary, **told: object) -> RuleSet:
    words = {"about": "x", "version": 1, "severity": "info", "notify": ["sales"], "reason": "r", "action": "a"}
    return RuleSet([parse_rule({"rule": "r", **words, **told}, vocabulary, ["sales"])], vocabulary)


def promotions(cooldown: str) -> RuleSet:
    told = {"field": "purpose", "is_not": "service"}
    return rules(VOCABULARY, when="marketing.campaign.sent.v1", expires="2h", cooldown=cooldown, **{"if": told})


@pytest.mark.parametrize("late", [False, True])
def test_a_longer_cooldown_counts_for_alerts_of_long_ago_whatever_else_comes_first(late: bool) -> None:
    bus = Bus(promotions("1h"))
    for at, number in ((START, 1), (START + 3 * DAY, 2)):
        bus.arrive("c", arrived(campaign(at, number)), at)
    for day in (6, 7):
        notice = entry(START + day * DAY, "marketing.campaign.sent.v1", SERVICE, day)
        bus.arrive("c", arrived(notice), notice.at)
    assert 2 == bus.customer("c").archived
    bus.change_rules(promotions("30d"))
    bus.said.clear()
    if late:
        bus.arrive("c", arrived(entry(START + 5 * DAY, "marketing.campaign.sent.v1", SERVICE, 33)), START + 8 * DAY - 1)
    bus.arrive("c", arrived(campaign(START + 8 * DAY, 3)), START + 8 * DAY)
    assert [] == bus.said


def test_an_event_that_ends_an_alert_is_not_kept_silent_by_it() -> None:
    """Whether the alert still stood before the event does not count, only what stands once the event is known."""
    seen = {"seen": "marketing.campaign.sent.v1"}
    told = {"when": "marketing.campaign.sent.v1", "if": {"field": "purpose", "is_not": "service"}, "resolves": seen}
    bus = Bus(rules(VOCABULARY, expires="14d", cooldown="1h", **told))
    for at, number in ((START, 1), (START + 2 * HOUR, 2), (START + 3 * HOUR - 1, 3)):
        bus.arrive("c", arrived(campaign(at, number)), at)
    said = [(said.state, said.alert.time - START) for _, said in bus.said]
    assert [("fired", 0), ("fired", 2 * HOUR), ("resolved", 0), ("resolved", 2 * HOUR)] == said


def call(at: int, number: int) -> Entry:
    return entry(at, "sales.call.completed.v1", {"callId": "L", "direction": "outbound"}, number)


def test_types_that_nobody_knows_any_more_fail_no_event() -> None:
    gone = {"marketing.campaign.sent.v1", "service.case.opened.v1"}
    asked = {"when": "contact", "if": {"unanswered": "contact", "at_least": 1, "within": "24h"}, "cooldown": "1h"}
    bus = Bus(rules(VOCABULARY, expires="2h", **asked))
    before = [complaint(START, 1), campaign(START + 1, 2), call(START + 2 * HOUR + 2, 3), campaign(START + 5 * HOUR, 4)]
    for one in before:
        bus.arrive("c", arrived(one), one.at)
    bus.change_rules(
        rules({name: kind for name, kind in VOCABULARY.items() if name not in gone}, expires="2h", **asked)
    )
    bus.said.clear()
    closed = entry(START + 8 * HOUR, "service.case.resolved.v1", {"caseId": "K1"}, 5)
    for one in (entry(START + 7 * HOUR, "web.page.viewed.v1", {"url": "u"}, 6), closed, call(START + 9 * HOUR, 7)):
        bus.arrive("c", arrived(one), one.at)
    assert ["expired", "fired"] == [said.state for _, said in bus.said]
    assert ("What triggered r is no longer known.", ()) == (bus.said[0][1].reason, bus.said[0][1].evidence)
