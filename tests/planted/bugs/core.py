"""Bugs of the core: what is decided."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "window-off-by-one",
        "A window holds its left edge, too.",
        "core/rules/conditions/unanswered.py",
        "contacts[-least].at <= after",
        "contacts[-least].at < after",
        (checks.EDGES,),
    ),
    Bug(
        "tie-reopens-a-case",
        "A case that is opened and resolved in the same instant is open.",
        "core/timeline/matters.py",
        """\
        if closing is not None:
            return""",
        """\
        if closing is not None and opening is None:
            return""",
        (checks.EDGES,),
    ),
    Bug(
        "part-payment-closes",
        "Any payment closes an invoice.",
        "core/timeline/invoices.py",
        "        return self.sums.get(claimed.currency, _ZERO) >= _decimal(claimed.total)\n",
        "        return bool(self.sums) or self.sums.get(claimed.currency, _ZERO) >= _decimal(claimed.total)\n",
        (checks.EDGES,),
    ),
    Bug(
        "reply-in-the-same-instant-does-not-answer",
        "A contact counts as unanswered although something engaged happened at its very instant.",
        "core/timeline/features.py",
        "                return Contacts(at)\n",
        """\
                state = Contacts(at)
                continue
""",
        (checks.EDGES,),
    ),
    Bug(
        "closed-window-off-by-one",
        "A case counts as just closed at the right edge of the window, too.",
        "core/rules/conditions/closed.py",
        "changed.at > after",
        "changed.at >= after",
        (checks.EDGES,),
    ),
    Bug(
        "end-off-by-one",
        "An instant at which something ceases to hold still counts as one at which it holds.",
        "core/rules/conditions/closed.py",
        "        left += self.within\n",
        "        left += self.within + 1\n",
        (checks.EDGES,),
    ),
    Bug(
        "evidence-in-order-of-discovery",
        "Evidence is not in the timeline's order.",
        "core/alerts/evidence.py",
        "tuple([_plain(*values[one]) for one in sorted(values)])",
        "tuple([_plain(*values[one]) for one in values])",
        (
            checks.NOTIFICATIONS,
            checks.MATCHES,
        ),
    ),
    Bug(
        "judged-at-arrival",
        "A late event is judged as if it were the latest, on what is at hand.",
        "core/customer/judging.py",
        "        if known is None or at <= known.at:\n",
        "        if known is None:\n",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "only-what-it-triggers-is-judged-again",
        "A late event that triggers no rule is taken in as if it came in order.",
        "core/customer/judging.py",
        "        if known is None or at <= known.at:\n",
        "        if known is None or (at <= known.at and taken.effects.judged):\n",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "closed-until-the-first-leaves",
        "Of many closed matters the first one that leaves the window is taken for the last.",
        "core/rules/conditions/closed.py",
        "left = max((one.changed.at for",
        "left = min((one.changed.at for",
        (checks.MANY_CLOSED,),
    ),
    Bug(
        "one-of-many-matters-holds-too-long",
        "Of many invoices only the last due date is looked for: that one of them is overdue before is not seen.",
        "core/rules/conditions/overdue.py",
        "        since = min([",
        "        since = max([",
        (checks.DUE_DATES,),
    ),
    Bug(
        "pruned-too-early",
        "Of what two rules ask of contacts so much is kept as the one needs that needs less.",
        "core/timeline/features.py",
        "return Unanswered(max(self.horizon, other.horizon))",
        "return Unanswered(min(self.horizon, other.horizon))",
        (
            checks.WIDEST_OF_CONTACTS,
            checks.NOTIFICATIONS,
        ),
    ),
    Bug(
        "forgotten-retraction",
        "An alert that a late event proves wrong is dropped without a word.",
        "core/customer/judging.py",
        """\
                if not alert.carried:
                    self._say("retracted", alert)
""",
        "",
        (
            checks.RETRACTION,
            checks.NOTIFICATIONS,
        ),
    ),
    Bug(
        "cooldown-recomputed-from-history",
        "A late event decides anew which matches of the past had been notified.",
        "core/customer/judging.py",
        "        gone = self._compare(since, {match.name: match for match in found.matches}, match_ends)\n",
        """\
        appended, before = customer.appended, [alert for alert in customer.alerts if alert.time < since]
        chosen = NotifiedAlerts(before, customer.decided_until, self._rules.longest_cooldown, appended)
        names = {alert.name for alert in decide(found.matches, chosen, appended, self._now, replay=False)}
        gone = self._compare(since, {match.name: match for match in found.matches if match.name in names}, match_ends)
""",
        (
            checks.LATE_TRIGGER,
            checks.NOTIFICATIONS,
        ),
    ),
    Bug(
        "what-a-retraction-frees-is-forgotten",
        "A match that an alert kept silent stays silent when a late event takes that alert back.",
        "core/customer/judging.py",
        "self._decide([*self._no_longer_suppressed(since, gone), *found.matches])",
        "self._decide(found.matches)",
        (
            checks.FREED_BEFORE,
            checks.FREED,
        ),
    ),
    Bug(
        "an-old-alert-not-explained-again",
        "An alert that ended, and stands again after a late event, says so without its evidence.",
        "core/customer/judging.py",
        "[alert for alert in moved if not alert.standing and alert.evidence is None]",
        "[alert for alert in moved if alert.standing and alert.evidence is None]",
        (
            checks.FOUND_AGAIN,
            checks.EXPLAINED,
        ),
    ),
    Bug(
        "cooldown-restarted-by-suppressed-matches",
        "A match that is not told lengthens the silence.",
        "core/alerts/notification.py",
        "        if memory.is_decided(time) or memory.suppresses(",
        """\
        if memory.suppresses(rule, match.match_end.key, time):
            memory.alerts = [
                one._replace(time=max(one.time, time)) if one.rule == rule.name else one for one in memory.alerts
            ]
        if memory.is_decided(time) or memory.suppresses(""",
        (checks.NOTIFICATIONS,),
    ),
    Bug(
        "a-state-changed-in-place",
        "What is known of a matter by now shows in the states of before.",
        "core/timeline/matters.py",
        "opened, closed = dict(known.open), dict(known.closed)",
        "opened, closed = cast(dict[str, Matter], known.open), dict(known.closed)",
        (checks.RECALLED,),
    ),
    Bug(
        "past-of-a-closed-invoice-not-read-again",
        "An event about an invoice that was closed long ago is judged without its past.",
        "core/timeline/matters.py",
        "self._go_on(known.get(name) or self.recalled(name, at, context), taken)",
        "self._go_on(known.get(name), taken)",
        (
            checks.NAMED_LONG_AFTER,
            checks.NOTIFICATIONS,
        ),
    ),
    Bug(
        "half-a-history-judged",
        "A move is judged at each of its parts.",
        "core/customer/step.py",
        "    if customer.arriving or not record.judged:\n",
        "    if not record.judged:\n",
        (checks.MISSING_PARTS,),
    ),
    Bug(
        "a-name-of-an-instant-that-is-none",
        "The profile keeps the name that an entry told at an instant at which it stands no longer.",
        "core/customer/arrival.py",
        "    if customer.name_at >= since:\n",
        "    if customer.name_at < since:\n",
        (checks.SAID_OF_EARLIER,),
    ),
    Bug(
        "reused-id-taken-for-a-copy",
        "An event with another's id and other content is dropped without a word.",
        "core/customer/arrival.py",
        """\
    if not _same(known, record):
        return _reused(entry, len(before))
""",
        "",
        (checks.COPIES,),
    ),
    Bug(
        "evidence-without-end",
        "An alert names every case that is open.",
        "core/alerts/evidence.py",
        "others[max(0, len(others) - EVIDENCE_LIMIT) :]",
        "others",
        (
            checks.EVIDENCE,
            checks.LIMITS,
        ),
    ),
    Bug(
        "alerts-of-a-rule-without-end",
        "Every dunning letter in a dispute is told.",
        "core/alerts/suppression.py",
        "if alert.key == key or near >= MOST_OF_A_RULE:",
        "if alert.key == key:",
        (
            checks.DUNNED,
            checks.LIMITS,
        ),
    ),
    Bug(
        "what-was-forgotten-is-told-again",
        "What an alert kept silent that was forgotten for room is not decided for good.",
        "core/alerts/suppression.py",
        "self.decided = max([self.decided, *(alert.suppresses_until(self._cooldown) for alert in gone)])",
        "self.decided = max(self.decided, 0)",
        (checks.LIMITS,),
    ),
    Bug(
        "a-match-without-room-is-told-later",
        "A match for which there was no room is told by a late event when there is some.",
        "core/alerts/suppression.py",
        "        self.decided = max(self.decided, time)\n",
        "",
        (checks.LIMITS,),
    ),
    Bug(
        "an-unjudged-move-is-forgotten",
        "A move that was taken in unjudged is never judged.",
        "core/customer/step.py",
        "    customer.unjudged = not customer.arriving\n",
        "",
        (checks.UNJUDGED,),
    ),
    Bug(
        "a-document-tells-who-wrote-it",
        "Alerts stand in a document in the order in which they were found.",
        "core/customer/judging.py",
        "        customer.alerts.sort(key=Alert.sort_key)\n",
        "",
        (checks.SAME_DOCUMENT,),
    ),
    Bug(
        "what-is-judged-again-is-no-longer-held",
        "A letter that is judged again, because something came late, looks for its invoice in what is held.",
        "core/rules/conditions/of_matters.py",
        "matters.get(wanted) or self._recalled(wanted, now)",
        "matters.get(wanted)",
        (
            checks.PAID_LONG_AGO,
            checks.ENDED_LONG_AGO,
        ),
    ),
    Bug(
        "an-end-hangs-on-what-is-no-longer-held",
        "The end of an alert that ended before a late event is looked for again from a state that knows of it no more.",
        "core/customer/judging.py",
        " or (alert.end is not None and alert.end < since):",
        ":",
        (
            checks.ENDED_BEFORE,
            checks.DECIDED_WORLDS,
        ),
    ),
    Bug(
        "the-edge-of-what-is-held-is-dropped",
        "A closed matter of which a window still shows the very edge is dropped.",
        "core/timeline/matters.py",
        "self._leave(closed, at - self.horizon)",
        "self._leave(closed, at - self.horizon + 1)",
        (checks.WIDEST_OF_MATTERS,),
    ),
    Bug(
        "who-forgets-an-alert-is-up-to-chance",
        "An alert of long ago is told of when something late changes it, if it is still there by chance.",
        "core/alerts/suppression.py",
        "if alert.standing or alert.suppresses_until(cooldown) > oldest]",
        "if alert.standing or alert.time < appended]",
        (
            checks.FORGOTTEN_ALERT,
            checks.DECIDED_WORLDS,
        ),
    ),
    Bug(
        "the-first-copy-stands",
        "Of copies the one that is journaled first says when it was, not the earliest.",
        "core/customer/arrival.py",
        "    if entry.at >= known.entry.at:\n",
        "    if entry:\n",
        (
            checks.MOVED_ENTRY,
            checks.EARLIER_COPY,
        ),
    ),
    Bug(
        "an-alert-of-another-instant-than-its-entry",
        "An alert keeps the instant of a copy that stands earlier by now.",
        "core/alerts/notification.py",
        """\
    return alert._replace(
        time=match.entry.at,
""",
        """\
    return alert._replace(
        time=alert.time,
""",
        (
            checks.MOVED_TRIGGER,
            checks.EARLIER_ALERT,
        ),
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
        "merge-into-the-younger",
        "Of two customers who turn out to be one, the younger survives.",
        "core/identity/links.py",
        "key=lambda customer: (known.born(customer), customer))",
        "key=lambda customer: (-known.born(customer), customer))",
        (checks.IDENTITY,),
    ),
    Bug(
        "a-fuse-that-never-blows",
        "A value may come with any number of strangers: all of them become one customer.",
        "core/identity/fuse.py",
        "        if len(recent) >= most:\n",
        "        if len(recent) < 0:\n",
        (checks.FUSE, checks.STRANGERS),
    ),
    Bug(
        "the-alphabet-hides-a-crowd",
        "Of two values of one type only the weaker one counts: a mailbox that sorts before its senders joins them all.",
        "core/identity/fuse.py",
        "    if alike := sum(node.type == strongest.type for node in linked):\n",
        "    if alike := sum(node is strongest for node in linked):\n",
        (checks.FUSE_ALPHABET,),
    ),
    Bug(
        "a-copy-counts-as-a-stranger",
        "Whatever comes through the links log counts, also of one customer.",
        "core/identity/fuse.py",
        "home is None or _customer(held[node], known) != home]",
        "node != strongest]",
        (checks.FUSE_COPIES, checks.STRANGERS),
    ),
    Bug(
        "a-day-that-never-ends",
        "Links count for ever: a value that a few people share is blocked after years.",
        "core/identity/fuse.py",
        "if link > at - WINDOW)",
        "if link > at - 9_999 * WINDOW)",
        (checks.FUSE_DAY, checks.STRANGERS),
    ),
    Bug(
        "any-matter-was-forgotten",
        "A condition that may ask of any matter, ever closed, keeps only what its field names.",
        "core/rules/conditions/closed.py",
        "return self.within if self.within or self.same_is_key else FOREVER",
        "return self.within if self.within or self.same is not None else FOREVER",
        (checks.CONDITIONS,),
    ),
)
