"""Judging: what new entries of a customer change about their alerts (semantics 1.6, 1.8).

One way, in order or late, after a merge or under changed rules: fold from a state before the change, hold what was
notified against what matches now, decide what is left in its order, and say what has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .alert import Alert, Name
from .conditions import Derived
from .customer import Customer
from .event import BEFORE_ALL, FOREVER
from .features import Taken
from .folding import Folding, Match, Watch, fold, fold_on
from .memory import Memory, may_be_full
from .notification import decide, refreshed
from .past import Past
from .rule import Rule
from .ruleset import RuleSet
from .telling import Said, State, tell


class Change(NamedTuple):
    """What is new of a customer. ``taken`` has joined their past; ``None``: something at which neither rules nor the
    profile look. After a move, and when what is known of them can't be relied on, ``everything`` is judged again.

    ``appended``: the journal's clock (µs). ``replay``: nobody is to be woken.
    """

    taken: Taken | None
    appended: int
    replay: bool = False
    everything: bool = False


def judge(customer: Customer, change: Change, rules: RuleSet, past: Past) -> list[Said]:
    """What is said, in order. The customer's alerts and what is known of them are as of the change then."""
    customer.forget(rules.longest_cooldown, change.appended)
    known, taken = customer.derived, change.taken
    judgement = _Judgement(customer, change, rules, past)
    if change.everything or (taken is not None and (known is None or taken.entry.at <= known.at)):
        judgement.again()
    elif taken is not None and known is not None:
        judgement.in_order(known, taken)
    if customer.closes_at <= customer.now:
        judgement.close()
    return judgement.said


class _Judgement:
    """One change of one customer. ``since``: the first instant at which anything may be otherwise (µs)."""

    __slots__ = ("_change", "_customer", "_gone", "_now", "_past", "_rules", "_since", "said")

    def __init__(self, customer: Customer, change: Change, rules: RuleSet, past: Past) -> None:
        self._customer, self._change, self._rules, self._past = customer, change, rules, past
        self._since = BEFORE_ALL if change.everything or change.taken is None else change.taken.entry.at
        self._now = customer.now
        self._gone: list[Alert] = []
        self.said: list[Said] = []

    # --- folding ----------------------------------------------------------------------------------------------------

    def in_order(self, derived: Derived, taken: Taken) -> None:
        """Folds on from what is known. Ends are known, too, and alerts of long ago are not concerned."""
        customer, rules = self._customer, self._rules
        watches: dict[int, Watch] = {}
        if customer.alerts and (ends := taken.effects.ends):
            for index, alert in enumerate(customer.alerts):
                if alert.rule in ends and (alert.end is None or alert.end >= self._since):
                    known = FOREVER if alert.end is None else alert.end
                    watches[index] = Watch(rules.rules[alert.rule], alert.key, alert.time, known)
        found = fold_on(rules, derived, taken, watches.values(), self._past)
        customer.derived, customer.folded_until = found.derived, found.derived.at
        for index, watch in watches.items():
            customer.alerts[index] = self._restated(customer.alerts[index], watch.end, None)
            customer.closes_at = BEFORE_ALL
        if found.matches:
            self._decide(found.matches)

    def again(self) -> None:
        """Folds from a state strictly before the change. What was notified before it keeps what it was bound to."""
        customer, past, since = self._customer, self._past, self._since
        customer.wake()
        past.changed(since)
        base = past.snapshot(since)
        watches: dict[Name, Watch] = {}
        for alert in customer.alerts:
            rule = self._rules.rules.get(alert.rule)
            if rule is None or alert.time >= since or (alert.end is not None and alert.end < since):
                continue
            watches[alert.name] = Watch(rule, alert.key, alert.time)
        folding = Folding(past.instants(base.at + 1), lambda at, _: at >= since, tuple(watches.values()))
        found = fold(self._rules, base, folding, past)
        customer.derived, customer.folded_until = found.derived, found.derived.at
        self._compare({match.name: match for match in found.matches}, watches)
        self._decide([*self._freed(), *found.matches])
        customer.alerts.sort(key=Alert.place)

    def _freed(self) -> Sequence[Match]:
        """Matches before the change that a retracted alert may have kept silent: those of its rule, near it."""
        loaded = self._rules.rules
        start = min((alert.time - loaded[alert.rule].cooldown for alert in self._gone), default=self._since)
        if start >= self._since:
            return ()
        base = self._past.snapshot(start)

        def is_near(at: int, rule: Rule) -> bool:
            near = (one.rule == rule.name and one.time - at < rule.cooldown for one in self._gone)
            return at < self._since and any(near)

        return fold(self._rules, base, Folding(self._past.instants(base.at + 1), is_near), self._past).matches

    def _found_again(self, alert: Alert) -> Match | None:
        """What a notified alert of before the change was bound to when it fired."""
        base = self._past.snapshot(alert.time)
        until = (one for one in self._past.instants(base.at + 1) if one[0].entry.at <= alert.time)
        folding = Folding(until, lambda at, rule: at == alert.time and rule.name == alert.rule)
        matches = fold(self._rules, base, folding, self._past).matches
        return next((match for match in matches if match.name == alert.name), None)

    # --- comparing --------------------------------------------------------------------------------------------------

    def _compare(self, matches: dict[Name, Match], watches: dict[Name, Watch]) -> None:
        """Notified alerts keep standing, are as their matches are by now, or are retracted."""
        kept: list[Alert] = []
        for alert in self._customer.alerts:
            name = alert.name
            if alert.rule not in self._rules.rules:
                kept.append(self._unloaded(alert))
            elif alert.time < self._since:
                watch = watches.get(name)
                kept.append(alert if watch is None else self._restated(alert, watch.end, None))
            elif name in matches:
                kept.append(self._restated(alert, matches[name].watch.end, matches[name]))
            else:
                self._gone.append(alert)
                if not alert.carried:
                    self._say("retracted", alert)
        self._customer.alerts, self._customer.closes_at = kept, BEFORE_ALL

    def _unloaded(self, alert: Alert) -> Alert:
        """An alert of a rule that is not loaded stays as it is; one that came with a merge is said to be this one's."""
        if alert.carried and alert.open:
            self._say("updated", alert)
        return alert._replace(carried=False) if alert.carried else alert

    def _restated(self, before: Alert, end: int | None, match: Match | None) -> Alert:
        """The alert with its end and evidence as they are by now; what is new of it is said."""
        if match is None and end == before.end:
            return before
        if match is None and not before.open and before.evidence is None:
            match = self._found_again(before)
        now = before._replace(end=end) if match is None else refreshed(before, match)._replace(end=end)
        now = now._replace(carried=False)
        other = now.digest != before.digest
        if now.has_ended(self._now):
            if before.open:
                return now  # ``close`` says it
            if other or now.end != before.end:
                self._say(now.ending, now)
            return now
        now = now._replace(open=True)
        if other or before.carried or not before.open:
            self._say("updated", now)
        return now

    # --- deciding ---------------------------------------------------------------------------------------------------

    def _decide(self, matches: Sequence[Match]) -> None:
        customer, change = self._customer, self._change
        if may_be_full(len(customer.alerts) + len(customer.closed) + len(matches)):
            customer.wake()
        memory = Memory(customer.alerts, customer.settled_until, self._rules.longest_cooldown, change.appended)
        for alert in decide(matches, memory, change.appended, self._now, replay=change.replay):
            self._say("fired" if alert.open else alert.ending, alert)
        customer.alerts, customer.settled_until, customer.closes_at = memory.alerts, memory.settled, BEFORE_ALL

    def close(self) -> None:
        """Says of every standing alert that has ended that it has, and puts away what nothing in order can concern."""
        customer, now, latest = self._customer, self._now, self._customer.folded_until
        kept: list[Alert] = []
        closed: list[Alert] = []
        for alert in customer.alerts:
            if alert.open and alert.has_ended(now):
                self._say(alert.ending, alert)
                alert = alert._replace(open=False)
            if not alert.open and alert.evidence is not None and alert.has_ended(latest - 1):
                alert = alert._replace(evidence=None)
            is_over = not alert.open and alert.evidence is None and self._closes_at(alert) <= latest
            (closed if is_over else kept).append(alert)
        customer.alerts = kept
        customer.closes_at = min((self._closes_at(alert) for alert in kept), default=FOREVER)
        if closed:
            customer.closed = tuple(sorted([*customer.closed, *closed], key=self._reach))

    def _closes_at(self, alert: Alert) -> int:
        """When ``close`` has to look at it next (µs): at its end; once that was said, when no entry in order can move
        the end any more; then, when it keeps no entry in order silent any more.
        """
        end = FOREVER if alert.end is None else alert.end
        if alert.open:
            return end
        if alert.evidence is not None:
            return end + 1
        rule = self._rules.rules.get(alert.rule)
        return max(end + 1, end if rule is None else alert.time + rule.cooldown)

    def _reach(self, alert: Alert) -> tuple[int, tuple[int, bytes, str, str]]:
        return alert.reach(self._rules.longest_cooldown), alert.place()

    def _say(self, state: State, alert: Alert) -> None:
        self.said.append(tell(state, alert, self._rules, self._past))
