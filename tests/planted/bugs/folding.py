"""Bugs of folding again: what a naive way of it gets wrong."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "one-end-for-all-of-a-key",
        "What resolves one match is believed to resolve all of its key, whenever they fired.",
        "core/folding.py",
        "                    if watch.key in known and not watch.rule.since_fired:\n",
        "                    if watch.key in known:\n",
        (checks.OF_ONE_KEY,),
    ),
    Bug(
        "a-closed-alert-that-is-not-written",
        "An alert is put away, and nobody writes it.",
        "core/closed.py",
        "        if taken_out.pop(alert.name, None) != alert:\n",
        "        if taken_out.pop(alert.name, alert) != alert:\n",
        (checks.CLOSED_ONCE,),
    ),
    Bug(
        "closed-alerts-written-again",
        "A late event writes all closed alerts again.",
        "core/closed.py",
        "        if taken_out.pop(alert.name, None) != alert:\n",
        "        if taken_out.pop(alert.name, None) is not alert or alert:\n",
        (checks.CLOSED_AS_THEY_WERE,),
    ),
    Bug(
        "a-retracted-alert-rises-again",
        "A closed alert that is retracted, forgotten or moved away stays on its topic.",
        "core/closed.py",
        "        yield TakenOut(alert)\n",
        "        yield from ()\n",
        (checks.CLOSED_TAKEN_OUT, checks.CLOSED_MOVED),
    ),
    Bug(
        "closed-alerts-sleep-on",
        "A late event is held only against the alerts at which something in order looks.",
        "core/judging.py",
        "        wake(customer, past)\n        past.changed(since)\n",
        "        past.changed(since)\n",
        (checks.CLOSED_TAKEN_OUT, checks.CLOSED_RESTORED),
    ),
    Bug(
        "closed-alerts-stay-behind",
        "A customer who is merged away takes along only the alerts at which something in order looks.",
        "core/journey.py",
        "    wake(customer, past)\n    shipped",
        "    shipped",
        (checks.CLOSED_MOVED,),
    ),
    Bug(
        "other-rules-forget-by-the-former-ones",
        "When a closed alert may be forgotten is believed to be what it was under other rules.",
        "agents/documents.py",
        "forgets_at=state.forgets_at if state.digest == self._rules.digest else BEFORE_ALL,",
        "forgets_at=state.forgets_at,",
        (checks.CLOSED_OTHER_RULES,),
    ),
    Bug(
        "closed-alerts-not-restored",
        "A worker that starts with nothing reads no closed alerts.",
        "agents/journey.py",
        "for topic in (TIMELINE, PROFILES, NOTIFIED)]",
        "for topic in (TIMELINE, PROFILES)]",
        (checks.CLOSED_RESTORED,),
    ),
    Bug(
        "an-end-put-earlier-is-said-late",
        "When the first alert ends is not looked at again, although one ends earlier by now.",
        "core/customer.py",
        "        elif alert.end is not None and alert.end < self.ends_at:\n            self.ends_at = alert.end\n",
        "",
        (checks.ENDS_IN_TIME,),
    ),
    Bug(
        "time-goes-back",
        "A copy that puts the latest entry earlier turns the customer's now back.",
        "core/customer.py",
        "        return max(self.until, self.latest_at)\n",
        "        return max(self.until, self.last_at)\n",
        (checks.FORWARD,),
    ),
    Bug(
        "a-tie-judged-one-by-one",
        "Of an instant each entry is judged before the next one is taken in.",
        "core/folding.py",
        "        if together and together[0].entry.at != one.entry.at:\n",
        "        if together:\n",
        (checks.TIE,),
    ),
    Bug(
        "resolved-in-the-instant-in-which-it-fires",
        "What is resolved at its own instant ends then, and not a microsecond later.",
        "core/folding.py",
        "            t = max(derived.at, self.time + 1)\n",
        "            t = max(derived.at, self.time)\n",
        (checks.RESOLVED_AT_ONCE,),
    ),
    Bug(
        "what-a-late-end-frees-is-forgotten",
        "When a late event ends an alert earlier, only what itself triggers is decided.",
        "core/judging.py",
        "self._decide([*self._freed(since, gone), *found.matches])",
        "self._decide([*self._freed(since, gone), *(match for match in found.matches if match.entry.at == since)])",
        (checks.LATE_END, checks.NOTIFICATIONS),
    ),
    Bug(
        "an-old-alert-is-not-watched",
        "The end of an alert that fired before the state from which is folded again stays as it was.",
        "core/judging.py",
        "            if rule is None or alert.time >= since or (",
        "            if rule is None or not base.at < alert.time < since or (",
        (checks.BOUND, checks.NOTIFICATIONS),
    ),
    Bug(
        "an-alert-watched-from-its-trigger-on",
        "The end of an alert is looked for when its trigger is folded, which under changed rules nobody looks at.",
        "core/judging.py",
        "            if rule is None or alert.time >= since or (alert.end is not None and alert.end < since):\n",
        """\
            trigger = next((one for one in past.since(alert.time) if one.at == alert.time), None)
            taken = None if trigger is None else self._rules.taken(trigger)
            if taken is None or not taken.effects.any:
                continue
            if rule is None or alert.time >= since or (alert.end is not None and alert.end < since):
""",
        (checks.ENDS_BY_NOW,),
    ),
    Bug(
        "an-ended-alert-sleeps-on",
        "A late event is held against the alerts that something in order can concern, and no others.",
        "core/judging.py",
        """\
        customer, past = self._customer, self._past
        wake(customer, past)
""",
        """\
        customer, past = self._customer, self._past
""",
        (checks.STANDS_AGAIN,),
    ),
    Bug(
        "an-ended-alert-silences-nothing",
        "An alert is put away when it has ended, although its cooldown is not over.",
        "core/judging.py",
        " else max(end + 1, alert.time + rule.cooldown)\n",
        " else end + 1\n",
        (checks.SILENCES,),
    ),
    Bug(
        "a-matter-recalled-as-it-became",
        "A closed matter that is named long after is taken as it is by now, in the middle of the past.",
        "core/matters.py",
        "context.matter(self.entity, name, before)",
        "context.matter(self.entity, name, 2**62)",
        (checks.RECALLED,),
    ),
    Bug(
        "an-answer-recalled-as-it-became",
        "Whether a matter was closed at an instant is asked of all that is known of it by now.",
        "core/conditions.py",
        "self.feature.recalled(wanted, now.derived.at + 1, now.context)",
        "self.feature.recalled(wanted, FOREVER, now.context)",
        (checks.ENDED_LONG_AGO,),
    ),
    Bug(
        "matters-pruned-too-early",
        "Of what two rules ask of closed matters so much is kept as the one needs that needs less.",
        "core/matters.py",
        "MattersOf(self.entity, max(self.horizon, other.horizon), fields)",
        "MattersOf(self.entity, min(self.horizon, other.horizon) or max(self.horizon, other.horizon), fields)",
        (checks.WIDEST_OF_MATTERS,),
    ),
    Bug(
        "what-was-seen-is-forgotten",
        "The latest that was seen is forgotten when something of its kind comes that is not meant.",
        "core/features.py",
        """\
                return one.ref
        return state
""",
        """\
                return one.ref
        return None
""",
        (checks.SEEN,),
    ),
    Bug(
        "states-of-before-a-change-are-kept",
        "After a late event or a merge the next late event is folded from a state that does not know of it.",
        "core/judging.py",
        "        past.changed(since)\n",
        "",
        (checks.VOID,),
    ),
    Bug(
        "what-the-other-was-told-is-taken-back-here",
        "An alert that came with a merge and does not hold here is retracted, although it was never told here.",
        "core/judging.py",
        "                if not alert.carried:\n",
        "                if alert.open:\n",
        (checks.BOTH_SIDES,),
    ),
    Bug(
        "alerts-of-a-move-are-forgotten",
        "What the one who left was told is not notified here, and said anew.",
        "core/journey.py",
        "        memory.join(record.alerts)\n",
        "",
        (checks.BOTH_SIDES,),
    ),
    Bug(
        "an-event-amid-missing-parts-is-judged",
        "What comes while parts of a move are missing is judged on half a history.",
        "core/journey.py",
        "    if not isinstance(joined, Written) or customer.arriving:\n",
        "    if not isinstance(joined, Written):\n",
        (checks.NOTHING_FOLDED,),
    ),
    Bug(
        "time-stands-still-in-a-move",
        "How far time had come for the one who left is not known here.",
        "core/journey.py",
        "    customer.until = max(customer.until, record.until)\n",
        "",
        (checks.UNTIL,),
    ),
    Bug(
        "whoever-left-shows-what-was-open",
        "Of a customer who left the open matters are told that were told last.",
        "core/journey.py",
        "customer.derived, customer.shown = [], {}, None, ((), 0)\n",
        "customer.derived = [], {}, None\n",
        (checks.LEFT,),
    ),
    Bug(
        "states-of-other-rules",
        "Under changed rules a customer is folded on from what others had asked.",
        "agents/documents.py",
        "if state.digest != self._rules.digest:",
        "if not state.digest:",
        (checks.CHANGED_RULES,),
    ),
    Bug(
        "a-longer-cooldown-is-no-change",
        "When a cooldown is made longer, alerts that were put away by the shorter one silence nothing.",
        "core/ruleset.py",
        "rule.resolves, rule.expires, rule.cooldown)",
        "rule.resolves, rule.expires)",
        (checks.OTHER_RULES,),
    ),
    Bug(
        "a-matter-of-a-type-that-is-none-any-more",
        "A matter whose history holds an entry of a type that left the vocabulary can't be recalled.",
        "core/past.py",
        "        return [one for one in about if one is not None]\n",
        "        return [one for one in about if one is not None or self._rules]\n",
        (checks.OTHER_RULES,),
    ),
    Bug(
        "a-copy-says-what-has-ended",
        "A copy or a refused event says that an alert has ended in the meantime.",
        "core/journey.py",
        "    if not isinstance(joined, Written) or customer.arriving:\n",
        """\
    if not isinstance(joined, Written) and not customer.arriving:
        past = Past(history, customer.id, (), rules)
        return [joined, *judge(customer, None, rules, past, replay=record.replay)]
    if not isinstance(joined, Written) or customer.arriving:
""",
        (checks.NO_STEP,),
    ),
    Bug(
        "a-moved-entry-stands-twice",
        "An entry that a copy puts earlier is folded there and where it stood.",
        "core/past.py",
        "[*(one for one in held if one.uid not in new), *mine]",
        "[*(one for one in held if one.uid not in new or one not in self._new), *mine]",
        (checks.MOVED_ENTRY,),
    ),
    Bug(
        "settled-matches-are-no-matches",
        "What lies 400 days back is left out of the fold: a notified alert of then is retracted.",
        "core/judging.py",
        "lambda at, _rule, _key: at >= since, ",
        "lambda at, _rule, _key: at >= max(since, self._customer.appended - 34_560_000_000_000), ",
        (checks.SETTLED_LATE,),
    ),
    Bug(
        "whatever-a-rule-says-again-is-silent",
        "A match in order is silent as soon as any alert of its rule is near, whatever their keys.",
        "core/memory.py",
        "if alert.rule == name and alert.key == key and abs(time - alert.time) < cooldown:",
        "if alert.rule == name and abs(time - alert.time) < cooldown:",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "what-an-event-ends-keeps-it-silent",
        "A match in order is silent beside an alert that stood until that very event.",
        "core/memory.py",
        "if alert.rule == name and alert.key == key and abs(time - alert.time) < cooldown:",
        "if alert.rule == name and alert.key == key and (alert.open or abs(time - alert.time) < cooldown):",
        ("tests/unit/core/test_changed_rules.py",),
    ),
    Bug(
        "what-is-open-again-is-closed-still",
        "A matter that is opened again stays among those that were closed, too.",
        "core/matters.py",
        "            opened.pop(name, None)\n            closed.pop(name, None)\n",
        "            opened.pop(name, None)\n",
        (checks.MATTERS,),
    ),
    Bug(
        "the-journals-clock-ends-alerts",
        "An end has come when the journal's clock says so, whatever has happened since.",
        "core/customer.py",
        "        return max(self.until, self.latest_at)\n",
        "        return self.until\n",
        (checks.LAGS,),
    ),
    Bug(
        "what-came-just-now-is-not-found",
        "Of what came with this very record nothing is told as evidence.",
        "core/past.py",
        "            if one.uid == uid:\n",
        "            if one.uid == uid[1:]:\n",
        (checks.JUST_NOW,),
    ),
    Bug(
        "evidence-looked-for-where-it-goes",
        "What is taken back at a merge is told when the entries have left.",
        "core/journey.py",
        "    past = Past(history, customer.id, (), rules)\n    said",
        "    past = Past(history, record.into, (), rules)\n    said",
        (checks.SHIPPED,),
    ),
    Bug(
        "a-retraction-speaks-of-today",
        "What an alert rested on is told at the instants at which it stands by now.",
        "core/past.py",
        "        return found if found is None or found.at == named.at else replace(found, at=named.at)\n",
        "        return found\n",
        (checks.STOOD,),
    ),
    Bug(
        "a-snapshot-at-the-instant-itself",
        "What an old alert rested on is looked for from the state as of its own instant.",
        "core/judging.py",
        "        base = self._past.snapshot(alert.time)\n",
        "        base = self._past.snapshot(alert.time + 1)\n",
        (checks.FOUND_AGAIN,),
    ),
    Bug(
        "evidence-of-ended-alerts-is-kept",
        "What an alert rested on stays in the document when it has ended.",
        "core/judging.py",
        "                alert = alert._replace(evidence=None)\n",
        "                alert = alert._replace(open=False)\n",
        (checks.NO_EVIDENCE,),
    ),
)
