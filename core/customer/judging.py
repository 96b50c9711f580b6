"""Judging: how new entries of a customer change their alerts (semantics 1.6, 1.8).

There is one way, for events in order, late events, merges and changed rules: fold from a state before the change,
compare the notified alerts with the matches, decide the remaining matches in order, and publish ends that have come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..alerts.alert import Alert, Name
from ..alerts.history import CustomerHistory
from ..alerts.matching import FoldInput, Match, MatchEnd, fold
from ..alerts.message import AlertMessage, AlertState, message_for
from ..alerts.notification import decide, refreshed
from ..alerts.suppression import NotifiedAlerts, may_be_full, outside_cooldowns
from ..rules.rule import Rule
from ..rules.ruleset import RuleSet
from ..timeline.derived import Derived
from ..timeline.entry import BEFORE_ALL, FOREVER
from ..timeline.features import Taken
from .archive import forget, unarchive_all
from .customer import Customer


def judge(
    customer: Customer, taken: Taken | None, rules: RuleSet, history: CustomerHistory, *, replay: bool
) -> Sequence[AlertMessage]:
    """How an event changes the alerts. ``taken``: the event, if the fold reads it; it is in ``history`` already.

    Returns the messages, in order. Afterwards the customer's alerts and state are as of the event. ``replay``: new
    alerts are historical.
    """
    if customer.alerts or customer.archived:
        forget(customer, rules, history)
    match_ends: Mapping[int, MatchEnd] = {}
    matches: Sequence[Match] = ()
    if taken is not None and taken.effects.any:
        known, at = customer.derived, taken.entry.at
        if known is None or at <= known.at:
            return _Judgement(customer, rules, history, replay=replay).again(at)
        if customer.alerts and taken.effects.ends:
            match_ends = _watched(customer.alerts, taken, rules)
        folding = FoldInput(((taken,),), outside_cooldowns(customer.alerts), match_ends.values())
        found = fold(rules, known, folding, history)
        customer.derived, customer.folded_until, matches = found.derived, at, found.matches
    if match_ends or matches or customer.has_due_alerts:
        return _Judgement(customer, rules, history, replay=replay).in_order(match_ends, matches)
    return ()


def judge_everything(
    customer: Customer, rules: RuleSet, history: CustomerHistory, *, replay: bool = False
) -> Sequence[AlertMessage]:
    """Evaluates everything again: after a move, or when the customer's state is not reliable. Returns the messages."""
    forget(customer, rules, history)
    return _Judgement(customer, rules, history, replay=replay).again(BEFORE_ALL)


def _watched(alerts: Sequence[Alert], taken: Taken, rules: RuleSet) -> Mapping[int, MatchEnd]:
    """The alerts whose end an event in order can move, as watches by their index."""
    match_ends: dict[int, MatchEnd] = {}
    at, ends = taken.entry.at, taken.effects.ends
    for index, alert in enumerate(alerts):
        if alert.rule in ends and (alert.end is None or alert.end >= at):
            end = FOREVER if alert.end is None else alert.end
            match_ends[index] = MatchEnd(rules.rules[alert.rule], alert.key, alert.time, end)
    return match_ends


class _Judgement:
    """How a fold of one customer changes their alerts, and the messages about that."""

    __slots__ = ("_customer", "_history", "_now", "_replay", "_rules", "_said")

    def __init__(self, customer: Customer, rules: RuleSet, history: CustomerHistory, *, replay: bool) -> None:
        self._customer, self._rules, self._history, self._replay = customer, rules, history, replay
        self._now = customer.now
        self._said: list[AlertMessage] = []

    # --- after a fold -----------------------------------------------------------------------------------------------

    def in_order(self, match_ends: Mapping[int, MatchEnd], matches: Sequence[Match]) -> Sequence[AlertMessage]:
        """Applies the fold of an event in order: the new ends of alerts, by their index, and the new matches. Archived
        alerts are not affected.
        """
        customer = self._customer
        for index, match_end in match_ends.items():
            before = customer.alerts[index]
            if match_end.end != before.end:
                match = self._original_matches((before,)).get(before.name)
                customer.alerts[index] = self._restated(before, match_end.end, match)
                customer.reschedule(customer.alerts[index])
        if matches:
            self._decide(matches)
        return self._close()

    def again(self, since: int) -> Sequence[AlertMessage]:
        """Folds again from a state strictly before ``since`` (µs), the first instant at which anything may differ.
        Alerts from before it keep their evidence; only their ends may move.
        """
        customer, history = self._customer, self._history
        unarchive_all(customer, history)
        history.invalidate(since)
        base = history.snapshot(since)
        match_ends: dict[Name, MatchEnd] = {}
        for alert in customer.alerts:
            rule = self._rules.rules.get(alert.rule)
            if rule is None or alert.time >= since or (alert.end is not None and alert.end < since):
                continue
            match_ends[alert.name] = MatchEnd(rule, alert.key, alert.time)
        folding = FoldInput(
            history.instants(base.at + 1), lambda at, _rule, _key: at >= since, tuple(match_ends.values())
        )
        found = fold(self._rules, base, folding, history)
        customer.derived, customer.folded_until = found.derived, found.derived.at
        gone = self._compare(since, {match.name: match for match in found.matches}, match_ends)
        self._decide([*self._no_longer_suppressed(since, gone), *found.matches])
        customer.alerts.sort(key=Alert.sort_key)
        return self._close()

    def _no_longer_suppressed(self, since: int, gone: Sequence[Alert]) -> Sequence[Match]:
        """Matches before the change that a retracted alert may have suppressed: those of its rule, near it."""
        loaded = self._rules.rules
        start = min((alert.time - loaded[alert.rule].cooldown for alert in gone), default=since)
        if start >= since:
            return ()
        base = self._history.snapshot(start)

        def is_near(at: int, rule: Rule, _key: str) -> bool:
            near = (one.rule == rule.name and one.time - at < rule.cooldown for one in gone)
            return at < since and any(near)

        return fold(self._rules, base, FoldInput(self._history.instants(base.at + 1), is_near), self._history).matches

    def _original_matches(self, moved: Iterable[Alert]) -> Mapping[Name, Match]:
        """The matches of alerts whose end moved and that no longer keep their evidence, by name.

        The history is folded once for all of them, from trigger to trigger and no further.
        """
        lacking = [alert for alert in moved if not alert.standing and alert.evidence is None]
        names, fired = {alert.name for alert in lacking}, {(alert.time, alert.rule) for alert in lacking}
        found: dict[Name, Match] = {}
        known: Derived | None = None
        for time in sorted({alert.time for alert in lacking}):
            base = self._history.snapshot(time)
            if known is not None and known.at > base.at:
                base = known
            together = self._history.instants(base.at + 1, time + 1)
            folding = FoldInput(together, lambda at, rule, _key: (at, rule.name) in fired)
            once = fold(self._rules, base, folding, self._history)
            known = once.derived
            found.update({match.name: match for match in once.matches if match.name in names})
        return found

    # --- comparing --------------------------------------------------------------------------------------------------

    def _compare(
        self, since: int, matches: Mapping[Name, Match], match_ends: Mapping[Name, MatchEnd]
    ) -> Sequence[Alert]:
        """Compares notified alerts with the matches: each stays, is updated or is retracted. Returns the retracted
        ones.
        """
        kept: list[Alert] = []
        gone: list[Alert] = []
        before = [alert for alert in self._customer.alerts if alert.time < since and alert.name in match_ends]
        bound = self._original_matches(alert for alert in before if match_ends[alert.name].end != alert.end)
        for alert in self._customer.alerts:
            name = alert.name
            if alert.rule not in self._rules.rules:
                kept.append(self._unloaded(alert))
            elif alert.time < since:
                match_end = match_ends.get(name)
                kept.append(alert if match_end is None else self._restated(alert, match_end.end, bound.get(name)))
            elif name in matches:
                kept.append(self._restated(alert, matches[name].match_end.end, matches[name]))
            else:
                gone.append(alert)
                if not alert.carried:
                    self._say("retracted", alert)
        self._customer.alerts = kept
        self._customer.reschedule_all()
        return gone

    def _unloaded(self, alert: Alert) -> Alert:
        """An alert of a rule that is not loaded stays as it is; if it came with a merge, it is published for its new
        customer.
        """
        if alert.carried and alert.standing:
            self._say("updated", alert)
        return alert._replace(carried=False) if alert.carried else alert

    def _restated(self, before: Alert, end: int | None, match: Match | None) -> Alert:
        """The alert with its current end and evidence; publishes what is new of it."""
        if match is None and end == before.end:
            return before
        now = (before if match is None else refreshed(before, match))._replace(end=end, carried=False)
        other = now.digest != before.digest
        if now.has_ended(self._now):
            if before.standing:
                return now  # ``_close`` publishes it
            if other or now.end != before.end:
                self._say(now.ending, now)
            return now
        now = now._replace(standing=True)
        if other or before.carried or not before.standing:
            self._say("updated", now)
        return now

    # --- deciding ---------------------------------------------------------------------------------------------------

    def _decide(self, matches: Sequence[Match]) -> None:
        customer = self._customer
        if may_be_full(len(customer.alerts) + customer.archived + len(matches)):
            unarchive_all(customer, self._history)
        notified = NotifiedAlerts(
            customer.alerts, customer.decided_until, self._rules.longest_cooldown, customer.appended
        )
        for alert in decide(matches, notified, customer.appended, self._now, replay=self._replay):
            self._say("fired" if alert.standing else alert.ending, alert)
            customer.reschedule(alert)
        customer.alerts, customer.decided_until = notified.alerts, notified.decided

    # --- closing ----------------------------------------------------------------------------------------------------

    def _close(self) -> Sequence[AlertMessage]:
        """Publishes the end of every standing alert that has ended, and archives those that no event in order can
        affect, if any is due. Returns all messages.
        """
        customer, now, latest = self._customer, self._now, self._customer.folded_until
        if not customer.has_due_alerts:
            return self._said
        ends_at = archives_at = FOREVER
        kept: list[Alert] = []
        archived: list[Alert] = []
        for alert in customer.alerts:
            end = FOREVER if alert.end is None else alert.end
            if alert.standing and end <= now:
                self._say(alert.ending, alert)
                alert = alert._replace(standing=False)
            if alert.evidence is not None and not alert.standing and end < latest:
                alert = alert._replace(evidence=None)
            if alert.standing:
                kept.append(alert)
                ends_at = min(ends_at, end)
            elif (at := self._archives_at(alert)) > latest:
                kept.append(alert)
                archives_at = min(archives_at, at)
            else:
                archived.append(alert)
        customer.alerts, customer.ends_at, customer.archives_at = kept, ends_at, archives_at
        if archived:
            customer.archive(archived, self._rules.longest_cooldown)
        return self._said

    def _archives_at(self, alert: Alert) -> int:
        """From which entry on (µs) an ended alert loses its evidence, because no event in order can move its end then.
        If it has lost it already: from which entry on it is archived, because it suppresses no match in order then.
        """
        end = FOREVER if alert.end is None else alert.end
        rule = self._rules.rules.get(alert.rule)
        return end + 1 if rule is None or alert.evidence is not None else max(end + 1, alert.time + rule.cooldown)

    def _say(self, state: AlertState, alert: Alert) -> None:
        self._said.append(message_for(state, alert, self._rules, self._history))
