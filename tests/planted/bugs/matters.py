"""Bugs about matters: what closes them, what opens them again, and what counts as the customer's answer."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "a-credit-closes-nothing",
        "An invoice that a credit note covers stays open for ever.",
        "core/timeline/invoices.py",
        "_recounted(bill.sums, bill.credited.get(credit), money, alone)",
        "bill.sums",
        (
            checks.MATCHES,
            checks.STATES,
            checks.MATTERS,
        ),
    ),
    Bug(
        "a-disputed-payment-still-counts",
        "A payment that the bank took back keeps its invoice closed.",
        "core/timeline/invoices.py",
        "if money is None or self.disputed.get(payment, -1) >= money.at else money",
        "if money is None else money",
        (
            checks.STATES,
            checks.MATTERS,
        ),
    ),
    Bug(
        "a-bill-changed-in-place",
        "What was paid by now shows in the states of before.",
        "core/timeline/matters.py",
        "taken: Sequence[Taken], *, alone: bool = False) -> Matter:",
        "taken: Sequence[Taken], *, alone: bool = True) -> Matter:",
        (checks.MATTERS,),
    ),
    Bug(
        "a-void-is-undone-by-a-reminder",
        "An invoice is open again because a reminder crossed its void.",
        "core/timeline/invoices.py",
        "(claim, bill.issued) if overdue",
        "(claim, entry.at) if overdue",
        (
            checks.STATES,
            checks.MATTERS,
        ),
    ),
    Bug(
        "what-was-forgotten-counts-as-unmatched",
        "A case that was closed once more, long after it was closed and forgotten, is said to be another customer's.",
        "core/customer/unmatched_closings.py",
        "            known = feature.recalled(name, at, history)\n",
        "",
        (checks.MATTERS,),
    ),
    Bug(
        "what-is-late-counts-as-unmatched",
        "A case that was closed once more, late, is said to be another customer's, if it was forgotten.",
        "core/customer/unmatched_closings.py",
        "for one in history.matter(entity, name, FOREVER))",
        "for one in [taken])",
        (checks.MATTERS,),
    ),
    Bug(
        "what-nobody-opened-is-read-again",
        "A payment of an invoice that nobody issued reads all that came before, at every payment.",
        "core/timeline/matters.py",
        "                context.cache_matter(self.entity, name, at + 1, now)\n",
        "                pass\n",
        (checks.COSTS,),
    ),
    Bug(
        "what-is-remembered-is-changed",
        "What was remembered of an invoice as of an instant becomes what was said of it later.",
        "core/timeline/matters.py",
        "matter = replace(matter, bill=matter.bill.copied())",
        "pass",
        (checks.COSTS,),
    ),
    Bug(
        "remembered-too-late",
        "What is remembered of a matter answers for instants before, too.",
        "agents/matter_cache.py",
        "found is None or found[0] > instant",
        "found is None",
        (checks.REMEMBERED,),
    ),
    Bug(
        "remembered-though-something-is-late",
        "A late event about a matter that left the state is not seen by what follows.",
        "agents/matter_cache.py",
        "if until > since]",
        "if until > since + 1]",
        (checks.REMEMBERED,),
    ),
    Bug(
        "remembered-though-it-was-not-written",
        "What a unit of work that failed said of a matter is believed by the next one.",
        "agents/snapshots.py",
        "        self._unwritten = True\n        self._matters.keep(",
        "        self._matters.keep(",
        (checks.REMEMBERED,),
    ),
    Bug(
        "a-stage-that-opens-and-closes-opens-nothing",
        "A payment or a closing is said to be another customer's although an event had opened and closed its matter.",
        "core/timeline/matters.py",
        "            opened = opened or one.effects.opens\n",
        "            opened = opened or opening is not None\n",
        (checks.MATTERS,),
    ),
    Bug(
        "an-aborted-closing-is-counted",
        "A unit of work that is decided again counts its unmatched closings twice.",
        "agents/journey.py",
        "self._said, self._unmatched, self._last",
        "self._said, self._last",
        (checks.UNMATCHED,),
    ),
    Bug(
        "a-link-scanner-answers",
        "The click of a program that looks for harmful links counts as the customer's answer.",
        "schemas/departments/marketing.py",
        'engaged={"machine": (False,)},',
        "engaged={},",
        (checks.EDGES, checks.MATCHES),
    ),
)
