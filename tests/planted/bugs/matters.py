"""Bugs about matters: what closes them, what opens them again, and what counts as the customer's answer."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "a-credit-closes-nothing",
        "An invoice that a credit note covers stays open for ever.",
        "core/entities.py",
        "[*kept, *credited.values()]",
        "kept",
        (checks.MATCHES, checks.STATES, checks.MATTERS),
    ),
    Bug(
        "a-disputed-payment-still-counts",
        "A payment that the bank took back keeps its invoice closed.",
        "core/entities.py",
        " if disputed.get(name, -1) < payment.at]",
        "]",
        (checks.STATES, checks.MATTERS),
    ),
    Bug(
        "a-void-is-undone-by-a-reminder",
        "An invoice is open again because a reminder crossed its void.",
        "core/entities.py",
        "issued = at if entry.type == ISSUED else issued",
        "issued = at",
        (checks.STATES, checks.MATTERS),
    ),
    Bug(
        "what-was-forgotten-counts-as-unmatched",
        "A case that was closed once more, long after it was closed and forgotten, is said to be another customer's.",
        "core/closings.py",
        " or held.is_settled(role.entity, matter)",
        "",
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
