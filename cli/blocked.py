"""Identifiers that are blocked because too many customers share them, as reported by a worker on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json import loads
from typing import Any

from .health import AnnouncedProcess, ask
from .output import say, shown
from .tables import table
from .words import count, moment_of

LISTED = 10
"""How many are listed for people."""


def asked(workers: Iterable[AnnouncedProcess]) -> Mapping[str, Any] | None:
    """The page ``/blocked`` (``count`` and ``latest``) of the first worker that answers; None when none does."""
    for worker in workers:
        said = ask(worker.url, "/blocked")
        if said is not None and said.ok:
            return dict(loads(said.text))
    return None


def tell(blocked: Mapping[str, Any] | None) -> None:
    """Print them for people. Customers that were merged through them stay merged, so a person should check them."""
    if blocked is None or not blocked["count"]:
        return
    one = blocked["count"] == 1
    say(
        "",
        f"{count(blocked['count'], 'identifier')} {'is' if one else 'are'} blocked: too many customers used "
        f"{'it' if one else 'each'} within 24 hours.",
        "Customers that were merged because of it stay merged: check them with `cxbus customer show <customer>`.",
    )
    listed = blocked["latest"][:LISTED]
    table(("since", "type", "customer"), [(moment_of(b["since"]), shown(b["type"]), b["customerId"]) for b in listed])
    if blocked["count"] > len(listed):
        say(f"The list shows the latest {len(listed)}; `cxbus status --json` has more.")
