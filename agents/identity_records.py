"""Records of the identities topic in bytes: whose an identifier is, when a customer was created, who was merged."""

from __future__ import annotations

from typing import Any

import orjson

from core.identity.fuse import MOST_A_DAY, NodeState
from schemas.journal import is_instant, is_name
from schemas.topics import KEY_RECORD

from .record_forms import may_be_merged


def identifier_record(kind: str, held: NodeState) -> bytes:
    """The value of the record of an identifier of this type."""
    said: dict[str, Any] = {"id": held.customer, "type": kind}
    if held.blocked is not None:
        said["blocked"] = held.blocked
    elif held.links:
        said["links"] = held.links
    return orjson.dumps(said)


def held_in(record: bytes) -> NodeState:
    """Decodes what ``identifier_record`` wrote."""
    said = orjson.loads(record)
    return NodeState(said["id"], tuple(said.get("links", ())), said.get("blocked"))


def identity_form(key: bytes | None, value: bytes | None) -> bool:
    """Whether it has the form of a record of the identities topic; a tombstone may have any of its keys."""
    try:
        kind, _, name = (key or b"").decode().partition("/")
        if key != KEY_RECORD and not (kind in ("c", "i") and is_name(name)):
            return False
        if value is None:
            return True
        said = orjson.loads(value)
        if key == KEY_RECORD:
            return isinstance(said["fingerprint"], str) and type(said.get("normalisation", 1)) is int
        if kind == "i":
            kinds = said.keys() <= {"id", "type", "links", "blocked"} and type(said.get("type", "")) is str
            links = said.get("links", [])
            instants = type(links) is list and len(links) <= MOST_A_DAY and all(map(is_instant, links))
            blocked = "blocked" not in said or is_instant(said["blocked"])
            return kinds and instants and blocked and is_name(said["id"])
        born = type(said["born"]) is int and said["born"] >= 0 and said.keys() <= {"born", "mergedInto", "version"}
        return born and ("mergedInto" not in said or may_be_merged(name, said["mergedInto"], said.get("version")))
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
