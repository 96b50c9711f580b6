"""Customers made known without having done anything: the records that the resolver would have written of them.

A million customers are known within seconds; the first event of each would otherwise go through the links log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import orjson
from aiokafka import AIOKafkaProducer

from agents.identifiers import Identifiers
from agents.identity_records import identifier_record
from agents.key_record import key_record
from core.identity.fuse import NodeState, judge
from core.identity.links import CustomerCreated, Linked, Node, resolve
from engine.transactional.transaction import Output, by_target, send_all
from schemas.topics import IDENTITIES, KEY_RECORD

BATCH_BYTES = 900 * 1024
AT_ONCE = 20_000


class Strangers:
    """A resolver's memory of nobody: ``core.identity.links.LinkMemory`` and ``core.identity.fuse.FuseMemory``."""

    def held(self, node_hash: str) -> NodeState | None:
        """None: nothing is known."""

    def owner(self, node_hash: str) -> str | None:
        """None: nobody has been seen."""

    def merged_into(self, customer: str) -> str | None:
        """None: nobody has been merged."""

    def born(self, customer: str) -> int:
        """Never asked."""
        raise KeyError(customer)


NOBODY = Strangers()


def customer_id(identifiers: Identifiers, pairs: Sequence[tuple[str, str]], offset: int) -> str:
    """The id of the customer whose first event stood at ``offset`` of the links log."""
    return identifiers.mint(_nodes(identifiers, pairs)[0], offset)


def identities(
    identifiers: Identifiers, customers: Iterable[Sequence[tuple[str, str]]], at: int = 0
) -> Iterator[Output]:
    """What the resolver writes of ``customers`` when each publishes one event, in this order, into an empty log.

    ``at``: when their events were appended to it (µs). Each customer is given by identifiers (type, value) that no
    other one has. Raises ``ValueError`` for one whose identifiers identify nobody.
    """
    yield _known(KEY_RECORD, key_record(identifiers))
    for offset, pairs in enumerate(customers):
        nodes = _nodes(identifiers, pairs)
        links = judge(nodes, at, NOBODY).links
        for change in resolve(nodes, offset, NOBODY, identifiers.mint).changes:
            if isinstance(change, CustomerCreated):
                yield _known(b"c/" + change.customer.encode(), orjson.dumps({"born": change.offset}))
            elif isinstance(change, Linked):
                held = NodeState(change.customer, links.get(change.node, ()))
                yield _known(b"i/" + change.node.hash.encode(), identifier_record(change.node.type, held))


def _nodes(identifiers: Identifiers, pairs: Sequence[tuple[str, str]]) -> tuple[Node, ...]:
    return identifiers.of(pairs).nodes


def _known(key: bytes, value: bytes) -> Output:
    return Output(IDENTITIES, 0, key, value)


async def write(bootstrap: str, outputs: Iterable[Output], say: Callable[[str], None] = print) -> int:
    """Writes the records, acknowledged; how many there were. Raises ``KafkaError``."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=BATCH_BYTES)
    await producer.start()
    written = 0
    try:
        records = iter(outputs)
        while some := list(islice(records, AT_ONCE)):
            await send_all(producer, by_target(some), BATCH_BYTES)
            written += len(some)
            if written % (25 * AT_ONCE) == 0:
                say(f"{written:,} records written")
    finally:
        await producer.stop()
    return written
