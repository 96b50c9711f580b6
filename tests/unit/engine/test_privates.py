"""What ``engine.kafka.privates`` relies on in aiokafka is as it was read, line by line.

When this fails aiokafka has changed: read what changed beside what we do with it, then record it anew with
``python -m tests.unit.engine.test_privates``.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator, NoGroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from aiokafka.producer.message_accumulator import BatchBuilder, MessageBatch
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol import struct, types
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

USED: Mapping[str, object] = {
    # how we unpack: privates.fetches, record_batch
    "FetchResult": fetcher.FetchResult,
    "PartitionRecords": fetcher.PartitionRecords,
    "Fetcher.fetched_records": fetcher.Fetcher.fetched_records,
    "Fetcher._create_fetch_waiter": fetcher.Fetcher._create_fetch_waiter,
    "Fetcher._proc_fetch_request": fetcher.Fetcher._proc_fetch_request,
    "Fetcher.close": fetcher.Fetcher.close,
    "MemoryRecords": _MemoryRecordsPy,
    "DefaultRecordBatch": _DefaultRecordBatchPy,
    # how we put batches and requests together: privates.producer, privates.requests
    "BatchBuilder": BatchBuilder,
    "DefaultRecordBatchBuilder.append": _DefaultRecordBatchBuilderPy.append,
    "MessageBatch": MessageBatch,
    "Struct.encode": struct.Struct.encode,
    "Schema": types.Schema,
    "Array": types.Array,
    "Bytes": types.Bytes,
    # transactions: privates.producer
    "TransactionManager.is_fatal_error": TransactionManager.is_fatal_error,
    "TransactionManager.maybe_add_partition_to_txn": TransactionManager.maybe_add_partition_to_txn,
    "TransactionManager.wait_for_transaction_end": TransactionManager.wait_for_transaction_end,
    # the group and what is read: privates.consumer
    "AIOKafkaConsumer.start": AIOKafkaConsumer.start,
    "AIOKafkaConsumer.stop": AIOKafkaConsumer.stop,
    "GroupCoordinator.__init__": GroupCoordinator.__init__,
    "GroupCoordinator.check_errors": GroupCoordinator.check_errors,
    "GroupCoordinator.close": GroupCoordinator.close,
    "GroupCoordinator.fetch_committed_offsets": GroupCoordinator.fetch_committed_offsets,
    "GroupCoordinator.need_rejoin": GroupCoordinator.need_rejoin,
    "GroupCoordinator._maybe_leave_group": GroupCoordinator._maybe_leave_group,
    "NoGroupCoordinator": NoGroupCoordinator,
    "SubscriptionState.fetch_context": SubscriptionState.fetch_context,
    "SubscriptionState.reassignment_in_progress": SubscriptionState.reassignment_in_progress.fget,
    "SubscriptionState.is_assigned": SubscriptionState.is_assigned,
    "Assignment.state_value": Assignment.state_value,
    "TopicPartitionState": TopicPartitionState,
}

RECORDED: Mapping[str, str] = {
    "FetchResult": "d7db13f06de8",
    "PartitionRecords": "94aa0da0dbec",
    "Fetcher.fetched_records": "be4348896b9b",
    "Fetcher._create_fetch_waiter": "61d840568746",
    "Fetcher._proc_fetch_request": "59bf948fff47",
    "Fetcher.close": "1cd24bc1c442",
    "MemoryRecords": "795a0314fbca",
    "DefaultRecordBatch": "f63fbb5a8a24",
    "BatchBuilder": "8050802ca751",
    "DefaultRecordBatchBuilder.append": "9c5ddd13af84",
    "MessageBatch": "36a7b1dac89d",
    "Struct.encode": "ede5976c899d",
    "Schema": "cb254b3dabc4",
    "Array": "5fe7ffa8941c",
    "Bytes": "a40380878e96",
    "TransactionManager.is_fatal_error": "7ac04ee86cfa",
    "TransactionManager.maybe_add_partition_to_txn": "e0a118be379a",
    "TransactionManager.wait_for_transaction_end": "67dc578aafc3",
    "AIOKafkaConsumer.start": "2f1ba7044332",
    "AIOKafkaConsumer.stop": "bc5da9c98595",
    "GroupCoordinator.__init__": "9e729f077efc",
    "GroupCoordinator.check_errors": "ba6ca51ad348",
    "GroupCoordinator.close": "f30d83108945",
    "GroupCoordinator.fetch_committed_offsets": "6c049c737916",
    "GroupCoordinator.need_rejoin": "61ae72b2a311",
    "GroupCoordinator._maybe_leave_group": "016cd88a16e6",
    "NoGroupCoordinator": "72ec15ee0975",
    "SubscriptionState.fetch_context": "ff2a654dca23",
    "SubscriptionState.reassignment_in_progress": "6876e75ff981",
    "SubscriptionState.is_assigned": "cd2783df3bd5",
    "Assignment.state_value": "183fea82ef48",
    "TopicPartitionState": "2b83334afadf",
}


def fingerprint(used: object) -> str:
    return hashlib.sha256(inspect.getsource(used).encode()).hexdigest()[:12]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", USED)
def test_what_we_rely_on_is_as_it_was_read(name: str) -> None:
    assert RECORDED[name] == fingerprint(USED[name]), f"aiokafka has changed {name}"


if __name__ == "__main__":
    for name, used in USED.items():
        print(f'    "{name}": "{fingerprint(used)}",')
