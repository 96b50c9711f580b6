"""Turns identifiers as departments send them into what the bus keeps: keyed hashes, and masks for people.

Nothing readable leaves this module: only a node for the identity graph, and a mask (``a…@example.com#3f7a``). Short
values are cached: parsing one phone number takes tens of microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.identity.links import Node

from .dropped import Dropped, Nobody
from .kept_json import kept_json
from .normalisation import Identifier, Normalisation, judged
from .short_cache import Pairs, ShortCache


class Identified(NamedTuple):
    """An event's identifiers as nodes and masked, strongest first, without repetition; and those that identify
    nobody.
    """

    nodes: tuple[Node, ...]
    masked_identifiers: Pairs
    dropped: tuple[Dropped, ...]


class Identifiers:
    """Normalises and hashes with one key; the other settings are those of ``Normalisation``."""

    def __init__(
        self, key: bytes, region: str | None = None, blocked: Iterable[str] = (), types: Iterable[str] = ()
    ) -> None:
        if len(key) < 16:
            raise ValueError("the identity key needs at least 16 bytes")
        self._key = hashlib.sha256(key).digest()
        self._normalisation = Normalisation(region, blocked, types)
        self._one = ShortCache(self._normalised)
        self.known: Mapping[Pairs, Identified] = ShortCache(self._identified)
        """The result of ``of`` by the tuple of pairs as sent."""
        self.shown: Mapping[Pairs, tuple[Pairs, bytes]] = ShortCache(self._shown)
        """The masked identifiers, and the pairs as JSON, by the tuple of pairs as sent."""
        self.fingerprint = hmac.new(self._key, b"cxbus", "sha256").hexdigest()[:16]

    def of(self, pairs: Sequence[tuple[str, str]]) -> Identified:
        """The identifiers among ``(type, value)`` pairs as sent."""
        return self.known[tuple(pairs)]

    def _identified(self, pairs: Pairs) -> Identified:
        return self._alone(*pairs[0]) if len(pairs) == 1 else self._combined(pairs)

    def _alone(self, kind: str, value: str) -> Identified:
        one = self._normalisation.identifier(kind, value)
        if isinstance(one, Nobody):
            return Identified((), (), (Dropped(0, one),))
        node = self._node(one)
        return Identified((node,), (mask(one, node.hash),), ())

    def _normalised(self, pair: Pairs) -> Identifier | Nobody:
        ((kind, value),) = pair
        return self._normalisation.identifier(kind, value)

    def _combined(self, pairs: Pairs) -> Identified:
        kept, dropped = judged([self._one[(pair,)] for pair in pairs])
        nodes = tuple(map(self._node, kept))
        return Identified(nodes, tuple(mask(one, node.hash) for one, node in zip(kept, nodes, strict=True)), dropped)

    def _shown(self, pairs: Pairs) -> tuple[Pairs, bytes]:
        return self.of(pairs).masked_identifiers, kept_json([{"type": kind, "value": value} for kind, value in pairs])

    def hash(self, kind: str, value: str) -> str | None:
        """The node's hash, for a search; ``None`` when the value identifies nobody."""
        one = self._one[((kind, value),)]
        return None if isinstance(one, Nobody) else self._node(one).hash

    def mint(self, first: Node, offset: int) -> str:
        """A new customer id: it reveals nothing about the person, and a replay makes the same one."""
        return "c_" + self._digest(f"customer\n{first.type}\n{first.hash}\n{offset}", 13)

    def _node(self, one: Identifier) -> Node:
        return Node(one.type, self._digest(f"{one.type}\n{one.value}", 16))

    def _digest(self, text: str, size: int) -> str:
        return hashlib.blake2b(text.encode(), digest_size=size, key=self._key).hexdigest()


def mask(one: Identifier, node_hash: str) -> tuple[str, str]:
    """Type and masked value: enough for a person to recognise it, too little to use it, like ``a…@example.com#3f7a``.

    The last four characters are the beginning of the node's hash, so that two identifiers with equal masks differ.
    """
    if one.type == "email":
        local, _, domain = one.value.partition("@")
        shown = f"{local[:1]}…@{domain}"
    elif len(one.value) <= 4:
        shown = f"…{one.value[-1:]}"
    else:
        shown = f"{one.value[:2]}…{one.value[-2:]}"
    return one.type, f"{shown}#{node_hash[:4]}"
