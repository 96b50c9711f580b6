"""Checks whether this machine's key is the one with which the bus's identities were made."""

from __future__ import annotations

from dataclasses import dataclass

from .finding import Finding, ok, warning, wrong

CHECK = "identity key"
GENERATED = "identity.key"
"""The file in the data directory in which the embedded bus keeps the key that it made."""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The key's fingerprint on this machine (``ours``; None without a key) and in the identities topic (``theirs``;
    None without identities). ``whole``: the topic was read to its end, or to the fingerprint.
    """

    ours: str | None
    theirs: str | None
    whole: bool = True


def judge(found: Fingerprints, *, embedded: bool) -> Finding:
    """With another key every known customer would look new, so no worker starts with one."""
    if not found.whole:
        return warning(
            CHECK,
            "cx.identities.v1 could not be read in time",
            "Run `cxbus doctor` again; if it stays so, see `open transactions`.",
        )
    if found.theirs is None:
        return ok(CHECK, "there are no identities yet")
    if found.ours == found.theirs:
        return ok(CHECK, f"the key of this bus's identities, fingerprint {found.theirs}")
    mend = "Set CXBUS_IDENTITY_KEY to the key of the first worker; look for it in your secret store or a backup."
    if embedded:
        mend = f"Put the data directory's {GENERATED} back from a backup (and set no CXBUS_IDENTITY_KEY beside it)."
    if found.ours is None:
        return wrong(CHECK, f"is missing; the bus's identities were made with fingerprint {found.theirs}", mend)
    return wrong(CHECK, f"has fingerprint {found.ours}, but the bus's identities were made with {found.theirs}", mend)
