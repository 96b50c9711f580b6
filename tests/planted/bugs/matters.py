"""Bugs about matters: what closes them, what opens them again, and what counts as the customer's answer."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "a-credit-closes-nothing",
        "An invoice that a credit note covers stays open for ever.",
        "core/invoices.py",
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
        "core/invoices.py",
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
        "core/matters.py",
        "taken: Sequence[Taken], *, alone: bool = False) -> Matter:",
        "taken: Sequence[Taken], *, alone: bool = True) -> Matter:",
        (checks.MATTERS,),
    ),
    Bug(
        "a-void-is-undone-by-a-reminder",
        "An invoice is open again because a reminder crossed its void.",
        "core/invoices.py",
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
        "core/closings.py",
        "    entries = past.matter(entity, name, FOREVER)\n",
        "    entries = [taken]\n",
        (checks.MATTERS,),
    ),
    Bug(
        "every-history-is-left",
        "Of all matters to which nobody looks back something is left in the customer's document.",
        "core/matters.py",
        "if one.entries >= LONG][-MOST_LEFT:])",
        "if one.entries >= LONG])",
        (checks.COSTS,),
    ),
    Bug(
        "a-stage-that-opens-and-closes-opens-nothing",
        "A payment or a closing is said to be another customer's although an event had opened and closed its matter.",
        "core/matters.py",
        "            opened = opened or one.effects.opens\n",
        "            opened = opened or opening is not None\n",
        (checks.MATTERS,),
    ),
    Bug(
        "an-aborted-closing-is-counted",
        "A unit of work that is decided again counts its unmatched closings twice.",
        "agents/journey.py",
        "        self._unmatched.clear()\n",
        "",
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
