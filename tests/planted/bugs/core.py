"""Bugs of the core: what is decided."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "window-off-by-one",
        "A window holds its left edge, too.",
        "core/timeline.py",
        "low = bisect_right(entries, after, key=_at)",
        "low = bisect_right(entries, after - 1, key=_at)",
        (checks.EDGES,),
    ),
    Bug(
        "tie-reopens-a-case",
        "A case that is opened and resolved in the same instant is open.",
        "core/entities.py",
        "opening.at <= closing.at",
        "opening.at < closing.at",
        (checks.EDGES,),
    ),
    Bug(
        "part-payment-closes",
        "Any payment closes an invoice.",
        "core/entities.py",
        "settled = claim is not None and _reaches([*kept, *credited.values()], claim)",
        "settled = claim is not None and bool(kept)",
        (checks.EDGES,),
    ),
    Bug(
        "reply-in-the-same-instant-does-not-answer",
        "A contact counts as unanswered although something engaged happened at its very instant.",
        "core/conditions.py",
        "max(since, engaged.at)",
        "max(since, engaged.at - 1)",
        (checks.EDGES,),
    ),
    Bug(
        "closed-window-off-by-one",
        "A case counts as just closed at the right edge of the window, too.",
        "core/conditions.py",
        "min(until, matter.changed.at + self.within) if self.within",
        "min(until, matter.changed.at + self.within + 1) if self.within",
        (checks.EDGES,),
    ),
    Bug(
        "end-off-by-one",
        "An instant at which something ceases to hold still counts as one at which it holds.",
        "core/spans.py",
        "since < spans[index - 1][1]",
        "since <= spans[index - 1][1]",
        (checks.SPANS,),
    ),
    Bug(
        "evidence-in-order-of-discovery",
        "Evidence is not in the timeline's order.",
        "core/evidence.py",
        "return tuple(sorted([first, *others], key=_place))",
        "return (first, *others)",
        (checks.MATCHES,),
    ),
    Bug(
        "judged-at-arrival",
        "A late event is judged as if it were the latest, on what is at hand.",
        "core/journey.py",
        "        if in_order:\n",
        "        if in_order or not customer.stale:\n",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "only-what-it-triggers-is-judged-again",
        "A late event is held against the rules that it triggers, not those that look at it.",
        "core/rule.py",
        "rules = (r for r in self.rules if r in judged or any(need.stream in asked for need in r.needs()))",
        "rules = (r for r in self.rules if r in judged and asked)",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "one-of-many-matters-holds-too-long",
        "Of many matters each still counts at the instant at which it no longer does.",
        "core/conditions.py",
        "if since <= t < until]",
        "if since <= t <= until]",
        (checks.MATCHES,),
    ),
    Bug(
        "retraction-looks-not-back",
        "A slightly late event retracts an alert, and what that had suppressed before is not looked at again.",
        "core/journey.py",
        "        if (gone or unexplained) and rules",
        "        if unexplained and rules",
        (checks.FREED, checks.NOTIFICATIONS),
    ),
    Bug(
        "pruned-too-early",
        "What a slightly late event needs is dropped as if none could come.",
        "core/timeline.py",
        "                cut = bisect_left(entries, since - need.horizon, key=_at)",
        "                cut = bisect_left(entries, now - need.horizon, key=_at)",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "forgotten-retraction",
        "An alert that a late event proves wrong is dropped without a word.",
        "core/notification.py",
        """\
            if not alert.carried:
                said.append(Said("retracted", alert))
""",
        """\
            continue
""",
        (checks.RETRACTION, checks.NOTIFICATIONS),
    ),
    Bug(
        "cooldown-recomputed-from-history",
        "A late event decides anew which matches of the past had been notified.",
        "core/journey.py",
        """\
    customer.alerts, said = reconsider(before, found, rules, full, since, clock)
""",
        """\
    chosen = Memory([], customer.settled_until, rules.longest_cooldown, clock)
    notify(triggers_in(history, rules), chosen, full, clock, replay=replay)
    found = {alert.id: found[alert.id] for alert in chosen.alerts if alert.id in found}
    customer.alerts, said = reconsider(before, found, rules, full, since, clock)
""",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "what-a-retraction-frees-is-forgotten",
        "A match that an alert kept silent stays silent when a late event takes that alert back.",
        "core/journey.py",
        "if at >= since or any(",
        "if at >= since or gone and any(at < since - rule.cooldown and ",
        (checks.FREED,),
    ),
    Bug(
        "an-old-alert-not-explained-again",
        "An alert that ended, and stands again after a late event, says so without its evidence.",
        "core/journey.py",
        "alert.time >= since or (not alert.open and (alert.end is None or alert.end >= since)):",
        "alert.time >= since:",
        (checks.EXPLAINED,),
    ),
    Bug(
        "cooldown-restarted-by-suppressed-matches",
        "A match that is not told lengthens the silence.",
        "core/notification.py",
        """\
            continue
        match = match_at(trigger, timeline)
""",
        """\
            if match_at(trigger, timeline) is not None:
                memory.alerts = [
                    a._replace(time=max(a.time, trigger.entry.at)) if a.rule == trigger.rule.name else a
                    for a in memory.alerts
                ]
            continue
        match = match_at(trigger, timeline)
""",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "a-stream-changed-in-place",
        "A document is written with a part as it was before: nobody sees that its list has grown.",
        "core/timeline.py",
        "    return [*entries, entry]\n",
        "    entries.append(entry)\n    return entries\n",
        (checks.RESTORED_JOURNEY,),
    ),
    Bug(
        "open-matters-as-they-were",
        "What came to a matter does not show in the document of a customer who was read from it.",
        "core/timeline.py",
        """\
            if stream in self.plan.entities:
                self.shown = self._open = None
""",
        """\
            if stream in self.plan.entities:
                self._open = None
""",
        (checks.READ_AGAIN,),
    ),
    Bug(
        "streams-that-nobody-asked-for-lost",
        "A document is written with those streams only that the last event had to do with.",
        "core/state.py",
        "            elif name in timeline.sealed:\n",
        "            elif name in timeline.sealed and timeline.plan is None:\n",
        (checks.READ_AGAIN,),
    ),
    Bug(
        "a-mark-across-two-others",
        "A matter counts as settled because the end of one mark and the beginning of the next look like its own.",
        "core/timeline.py",
        "        while place % MARK_CHARS:",
        "        while place < 0:",
        (checks.MARKS,),
    ),
    Bug(
        "a-closed-alert-lost-its-words",
        "An alert that was closed long ago is taken back without its reason.",
        "core/journey.py",
        "                before[index] = worded(alert, rule, rule.fields_of(entries[alert.uid], rules.vocabulary))",
        "                before[index] = alert",
        (checks.WORDS,),
    ),
    Bug(
        "settled-past-not-read-again",
        "An event about an invoice that was settled long ago is judged without its past.",
        "core/timeline.py",
        "str(kind.value(entry.data, name))) for entity, name in named)",
        "str(kind.value(entry.data, name))) for entity, name in named if entity != 'invoice')",
        (checks.SETTLED, checks.NOTIFICATIONS),
    ),
    Bug(
        "half-a-history-judged",
        "A move is judged at each of its parts.",
        "core/journey.py",
        "    if customer.arriving:\n        return out\n",
        "",
        (checks.MISSING_PARTS,),
    ),
    Bug(
        "reused-id-taken-for-a-copy",
        "An event with another's id and other content is dropped without a word.",
        "core/arrival.py",
        "        elif not _same(known, record):\n            out.append(_reused(entry, nth))\n",
        "",
        (checks.COPIES,),
    ),
    Bug(
        "evidence-without-end",
        "An alert names every case that is open.",
        "core/evidence.py",
        "sorted(merged.values(), key=_place)[-EVIDENCE_LIMIT:]",
        "sorted(merged.values(), key=_place)",
        (checks.EVIDENCE, checks.LIMITS),
    ),
    Bug(
        "alerts-of-a-rule-without-end",
        "Every dunning letter in a dispute is told.",
        "core/memory.py",
        "        if len(self.alerts) < MOST_OF_A_RULE:\n",
        "        if len(self.alerts) >= 0:\n",
        (checks.DUNNED, checks.LIMITS),
    ),
    Bug(
        "what-was-forgotten-is-told-again",
        "What an alert kept silent that was forgotten for room is not settled.",
        "core/memory.py",
        "self.settled = max([self.settled, *map(self._reach, gone)])",
        "self.settled = max(self.settled, 0)",
        (checks.LIMITS,),
    ),
    Bug(
        "a-match-without-room-is-told-later",
        "A match for which there was no room is told by a late event when there is some.",
        "core/memory.py",
        "        self.settled = max(self.settled, time)\n",
        "",
        (checks.LIMITS,),
    ),
    Bug(
        "an-unjudged-move-is-forgotten",
        "A move that was taken in unjudged is never judged.",
        "core/journey.py",
        "        customer.unjudged = True\n",
        "",
        (checks.UNJUDGED,),
    ),
    Bug(
        "a-document-tells-who-wrote-it",
        "What is settled is written in another order by a worker that has kept the past up.",
        "core/journey.py",
        "timeline.prune(sorted(timeline.streams), now, whole=True)",
        "timeline.prune(list(timeline.streams), now, whole=True)",
        (checks.KEPT_UP, checks.CUTS),
    ),
    Bug(
        "what-is-judged-again-is-no-longer-held",
        "A letter that is judged again, because something came late, looks for its invoice in what is held.",
        "core/journey.py",
        "    if timeline.settled:\n        triggers = triggers_in(later, rules)\n",
        "    if not timeline.plan.entities:\n        triggers = triggers_in(later, rules)\n",
        (checks.PAID_LONG_AGO, checks.SETTLED_WORLDS),
    ),
    Bug(
        "an-end-hangs-on-what-is-no-longer-held",
        "An end that the payment of an invoice decided is looked for again when that is held no more.",
        "core/journey.py",
        "any(timeline.is_settled(entity, alert.key) for entity in rule.followed)",
        "any(timeline.is_settled(entity, alert.key) for entity in ())",
        (checks.FOLLOWED, checks.SETTLED_WORLDS),
    ),
    Bug(
        "the-edge-of-what-is-held-is-dropped",
        "What ended an alert at the earliest instant that can still be asked about is not held.",
        "core/timeline.py",
        "                cut = bisect_left(entries, since - need.horizon, key=_at)",
        "                cut = bisect_right(entries, since - need.horizon, key=_at)",
        (checks.EDGE_OF_HELD, checks.SETTLED_WORLDS),
    ),
    Bug(
        "who-forgets-an-alert-is-up-to-chance",
        "An alert of long ago is told of when something late changes it, if it is still there by chance.",
        "core/memory.py",
        "if alert.open or reach(alert, cooldown) > history]",
        "if alert.open or alert.time < clock]",
        (checks.FORGOTTEN_ALERT, checks.SETTLED_WORLDS),
    ),
    Bug(
        "the-first-copy-stands",
        "Of copies the one that is journaled first says when it was, not the earliest.",
        "core/arrival.py",
        "        elif entry.at >= known.entry.at:\n",
        "        elif known.entry.at >= 0:\n",
        (checks.EARLIER_COPY, checks.SETTLED_WORLDS),
    ),
    Bug(
        "an-alert-of-another-instant-than-its-entry",
        "An alert keeps the instant of a copy that stands earlier by now.",
        "core/notification.py",
        "now._replace(time=match.time, end=match.end, expires=_expiry(match))",
        "now._replace(end=match.end)",
        (checks.EARLIER_ALERT, checks.SETTLED_WORLDS),
    ),
    Bug(
        "an-answer-to-an-alert-counts-as-an-entry",
        "A department's answer is counted among what happened to the customer.",
        "agents/vocabulary.py",
        "note=issubclass(kind.data, BusData),",
        "note=kind.data is BusData,",
        (checks.ANSWER,),
    ),
    Bug(
        "an-answer-of-a-condition-that-is-gone",
        "What a condition found out is kept under its address in memory, where another may stand by now.",
        "core/conditions.py",
        'asked = (self, key if self.same_is_key else "")',
        'asked = (id(self), key if self.same_is_key else "")',
        (checks.CONDITIONS,),
    ),
    Bug(
        "merge-into-the-younger",
        "Of two customers who turn out to be one, the younger survives.",
        "core/identity.py",
        "key=lambda customer: (known.born(customer), customer))",
        "key=lambda customer: (-known.born(customer), customer))",
        (checks.IDENTITY,),
    ),
    Bug(
        "a-fuse-that-never-blows",
        "A value may come with any number of strangers: all of them become one customer.",
        "core/fuse.py",
        "        if len(recent) >= most:\n",
        "        if len(recent) < 0:\n",
        (checks.FUSE, checks.STRANGERS),
    ),
    Bug(
        "the-alphabet-hides-a-crowd",
        "Of two values of one type only the weaker one counts: a mailbox that sorts before its senders joins them all.",
        "core/fuse.py",
        "    if alike := sum(node.type == strongest.type for node in linked):\n",
        "    if alike := sum(node is strongest for node in linked):\n",
        (checks.FUSE_ALPHABET,),
    ),
    Bug(
        "a-copy-counts-as-a-stranger",
        "Whatever comes through the links log counts, also of one customer.",
        "core/fuse.py",
        "home is None or _customer(held[node], known) != home]",
        "node != strongest]",
        (checks.FUSE_COPIES, checks.STRANGERS),
    ),
    Bug(
        "a-day-that-never-ends",
        "Links count for ever: a value that a few people share is blocked after years.",
        "core/fuse.py",
        "if link > at - WINDOW)",
        "if link > at - 9_999 * WINDOW)",
        (checks.FUSE_DAY, checks.STRANGERS),
    ),
    Bug(
        "any-matter-was-forgotten",
        "A condition that may ask of any matter, ever closed, keeps only what its field names.",
        "core/conditions.py",
        """forever = self.state == "closed" and not self.within and not self.same_is_key""",
        """forever = self.state == "closed" and not self.within and self.same is None""",
        (checks.CONDITIONS,),
    ),
)
