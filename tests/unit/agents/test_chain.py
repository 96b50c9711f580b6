"""The chain from the step to the alert's message, as docs/architecture.md names it: one event is traced through it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from schemas.topics import alerts_topic

from .bench import Journal, event

ROOT = Path(__file__).parents[3]

CHAIN = (
    "core/customer/step.py",
    "core/customer/arrival.py",
    "core/customer/judging.py",
    "core/alerts/matching.py",
    "core/alerts/notification.py",
    "core/alerts/message.py",
    "agents/messages.py",
)


@contextmanager
def traced() -> Iterator[list[tuple[str, str]]]:
    """Whenever a module of the chain is entered from another, or left for it: ``("enter", module)``, ``("leave", …)``.

    A module is entered by a call of one of its functions, or of a method of what does its work, from elsewhere; values
    that it hands out (a ``Match`` and its ``MatchEnd``) are anybody's.
    """
    moves: list[tuple[str, str]] = []
    inside: list[str | None] = [None]
    values = {"MatchEnd", "Match"}

    def module_of(frame: FrameType) -> str | None:
        path = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        of = frame.f_code.co_qualname.split(".")[0]
        return path if path in CHAIN and of not in values else None

    def profile(frame: FrameType, what: str, _: object) -> None:
        if what == "call":
            module = module_of(frame)
            if module is not None and module != inside[-1]:
                moves.append(("enter", module))
            inside.append(module or inside[-1])
        elif what == "return" and len(inside) > 1:
            module = inside.pop()
            if module is not None and module != inside[-1]:
                moves.append(("leave", module))

    sys.setprofile(profile)
    try:
        yield moves
    finally:
        sys.setprofile(None)


def test_an_event_in_order_enters_each_module_of_the_chain_once_and_leaves_it_once(journal: Journal) -> None:
    journal.publish("c", event("service.case.opened.v1", "2026-11-17T09:00:00Z", caseId="K1", category="complaint"))
    sent = event("marketing.campaign.sent.v1", "2026-11-17T10:00:00Z", campaignId="S1", channel="email")
    with traced() as moves:
        journal.publish("c", sent, "marketing")
    assert ["fired"] == [one["data"]["state"] for one in journal.messages(alerts_topic("marketing"))]
    assert list(CHAIN) == [module for what, module in moves if what == "enter"]
    assert sorted(CHAIN) == sorted(module for what, module in moves if what == "leave")


def test_the_architecture_page_names_this_chain() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.search(r"## The chain\n(.*?)\n## ", page, re.DOTALL)
    assert found is not None
    assert list(CHAIN) == re.findall(r"^\d\. `([a-z/_]+\.py)`", found[1], re.MULTILINE)
    assert len(CHAIN) <= 8
