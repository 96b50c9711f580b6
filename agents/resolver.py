"""The resolver: folds the links log into identities, and sends every event on to its customer's journal.

One partition, one owner at a time, one transaction per batch: identities, merges and events appear together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import structlog
from aiokafka import TopicPartition

from core.identity.fuse import LINKS_A_DAY, NodeState, judge
from core.identity.links import CustomerCreated, Linked, Merged, Node, resolve, root
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.errors import Fatal
from engine.kafka.record import KafkaRecord
from engine.store.store import Store
from engine.transactional.transaction import Output
from engine.transactional.unit import Deciding
from schemas.journal import MERGE, ORDER, Origin, header_of, without_nodes
from schemas.refusal import Reason, Refusal
from schemas.topics import IDENTITIES, JOURNAL, KEY_RECORD, department_of, partition_of

from . import messages
from .blocked import nobody
from .dead_letters import dead_letter
from .foreign import letters_about, unreadable
from .identifiers import Identifiers
from .identity_records import held_in, identifier_record, identity_form
from .isolation import isolated
from .key_record import check_key, key_record
from .metrics import Metrics
from .record_forms import links_form, nodes_of, received_at

log = structlog.get_logger("agents.resolver")

_STRANGER = "data.customerId is not a customer of this bus; send the customerId of the alert."


class Resolver:
    """An ``engine.transactional.partition_state.Processor`` for the links log.

    ``links_a_day``: links to other customers' stronger identifiers that a value may get in 24 h, at least one; one more
    blocks it.
    """

    def __init__(
        self,
        partition: int,
        partitions: int,
        identifiers: Identifiers,
        directory: Path,
        metrics: Metrics,
        links_a_day: int = LINKS_A_DAY,
    ) -> None:
        self._partition = partition
        self._partitions = partitions
        self._identifiers = identifiers
        self._metrics = metrics
        self._links_a_day = links_a_day
        self._store = Store(directory, ("identities",))

    # --- engine.transactional.partition_state.Processor ---------------------------------------------------------------

    def sources(self) -> Sequence[TopicPartition]:
        """The one compacted topic that holds all identities."""
        return (TopicPartition(IDENTITIES, 0),)

    def checkpoint(self) -> Checkpoint | None:
        """The store's checkpoint of the identities topic."""
        return self._store.checkpoint()

    def reset(self) -> None:
        """Clears the store."""
        self._store.reset()

    def restore(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Copies records of the identities topic into the store."""
        others = []
        for record in records:
            if not identity_form(record.key, record.value):
                others.append(record)
            elif record.value is None:
                self._store.delete("identities", record.key)
            else:
                self._store.put("identities", record.key, record.value)
        self._store.flush_pending()
        return others

    def restored(self, mark: Checkpoint) -> None:
        """Stores what was restored so far."""
        self._store.flush_pending(mark)

    def opened(self, mark: Checkpoint) -> None:
        """Checks the identity key against the restored identities. Raises ``WrongKey``, ``OtherNormalisation``."""
        if (held := self._store.get("identities", KEY_RECORD)) is not None:
            check_key(held, self._identifiers)
        self._store.flush_pending(mark)

    def decide(self, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
        """Folds the links in the log's order, each carefully in any case."""
        self._store.drop_pending()
        outputs: list[Output] = []
        if self._store.get("identities", KEY_RECORD) is None:
            outputs.append(self._put(KEY_RECORD, key_record(self._identifiers)))
        for record in records:
            outputs += self._one(record)
            yield
        return outputs

    def foreign(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """A dead letter for each record.

        The key record is written once: after a foreign one compaction would remove it, and no worker without local
        state could start. So it is written again.
        """
        outputs = list(letters_about(records, "resolver", self._metrics))
        held = self._store.get("identities", KEY_RECORD)
        if held is not None and any(record.topic == IDENTITIES and record.key == KEY_RECORD for record in records):
            outputs.append(Output(IDENTITIES, 0, KEY_RECORD, held))
        return outputs

    def committed(self, mark: Checkpoint) -> None:
        """Applies the unit of work to the store: its transaction is durable."""
        self._store.flush_pending(mark)

    def close(self) -> None:
        """Releases the store."""
        self._store.close()

    # --- one record -------------------------------------------------------------------------------------------------

    def _one(self, record: KafkaRecord) -> Iterator[Output]:
        if not links_form(record):
            yield unreadable(record, "resolver", self._metrics)
            return
        try:
            nodes = nodes_of(dict(record.headers))
            if not nodes:
                yield self._answer(record)
                return
            at = received_at(record)
            judged = judge(nodes, at, self, self._links_a_day)
            if not judged.identifying:
                yield self._dead_letter(record, nobody((node.type, self._known(node).blocked or 0) for node in nodes))
                return
            resolution = resolve(judged.identifying, record.offset, self, self._identifiers.mint)
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 -- isolated, reported and counted
            yield self._dead_letter(record, isolated("resolver", error))
            return
        links = dict(judged.links)
        for change in resolution.changes:
            if isinstance(change, Linked):
                self._metrics.links.inc()
                yield self._know(change.node, NodeState(change.customer, links.pop(change.node, ())))
            elif isinstance(change, CustomerCreated):
                yield self._learn(f"c/{change.customer}", {"born": change.offset})
            else:
                yield from self._merge(change)
        yield from self._fuse(links, judged.newly_blocked, at)
        yield self._to_journal(resolution.customer, record.value, without_nodes(record.headers))

    def _answer(self, record: KafkaRecord) -> Output:
        """Routes an answer to an alert whose customer the directory of an intake did not know yet."""
        echoed = str(orjson.loads(record.value)["data"]["customerId"])
        if self._store.get("identities", f"c/{echoed}".encode()) is None:
            return self._dead_letter(record, Refusal(Reason.INVALID_DATA, _STRANGER))
        return self._to_journal(root(echoed, self.merged_into), record.value, without_nodes(record.headers))

    def _dead_letter(self, record: KafkaRecord, dead: Refusal) -> Output:
        origin = Origin.parse(header_of(dict(record.headers)).origin)
        self._metrics.dead.labels(department_of(origin.topic), dead.reason).inc()
        return dead_letter(None, record.value, messages.STRUCTURED, "resolver", origin, dead)

    def _merge(self, merged: Merged) -> Iterator[Output]:
        redirect = {"born": self.born(merged.customer), "mergedInto": merged.into, "version": merged.version}
        yield self._learn(f"c/{merged.customer}", redirect)
        order = orjson.dumps({"into": merged.into, "version": merged.version})
        yield self._to_journal(merged.customer, order, ((ORDER, MERGE),))

    def _fuse(self, links: Mapping[Node, tuple[int, ...]], newly_blocked: Sequence[Node], at: int) -> Iterator[Output]:
        """Writes that known nodes were linked once more, or are blocked from now on (``at``, µs)."""
        for node, counted in links.items():
            yield self._know(node, replace(self._known(node), links=counted))
        for node in newly_blocked:
            held = self._known(node)
            log.warning("an identifier is blocked: too many customers use it", type=node.type, customer=held.customer)
            yield self._know(node, NodeState(held.customer, blocked=at))

    def _known(self, node: Node) -> NodeState:
        held = self.held(node.hash)
        assert held is not None, "a judged identifier is in the store"
        return held

    def _know(self, node: Node, held: NodeState) -> Output:
        return self._put(f"i/{node.hash}".encode(), identifier_record(node.type, held))

    def _learn(self, key: str, value: Mapping[str, Any]) -> Output:
        return self._put(key.encode(), orjson.dumps(value))

    def _put(self, key: bytes, encoded: bytes) -> Output:
        self._store.put("identities", key, encoded)
        return Output(IDENTITIES, 0, key, encoded)

    def _to_journal(self, customer: str, value: bytes, headers: tuple[tuple[str, bytes], ...]) -> Output:
        return Output(JOURNAL, partition_of(customer, self._partitions), customer.encode(), value, headers)

    # --- core.identity.links.LinkMemory, core.identity.fuse.FuseMemory ------------------------------------------------

    def held(self, node_hash: str) -> NodeState | None:
        """The record of a node, if it is known."""
        value = self._store.get("identities", f"i/{node_hash}".encode())
        return None if value is None else held_in(value)

    def owner(self, node_hash: str) -> str | None:
        """The customer to whom the node was first linked."""
        held = self.held(node_hash)
        return None if held is None else held.customer

    def merged_into(self, customer: str) -> str | None:
        """The customer into whom this one was merged, one step only."""
        value = self._store.get("identities", f"c/{customer}".encode())
        into = None if value is None else orjson.loads(value).get("mergedInto")
        return None if into is None else str(into)

    def born(self, customer: str) -> int:
        """The offset in the links log at which the customer was first seen."""
        value = self._store.get("identities", f"c/{customer}".encode())
        assert value is not None, "every customer has a birth record"
        return int(orjson.loads(value)["born"])
