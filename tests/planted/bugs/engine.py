"""Bugs of the engine: transactions, fences, restores, the local store, membership."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "batch-future-not-awaited",
        "A unit of work commits without looking whether the broker took its batches.",
        "engine/transactional/transaction.py",
        """\
    last = (await asyncio.gather(*sent))[-1]
    return int(last.offset) + int(batches[-1].record_count())
""",
        """\
    return len(sent) and -1
""",
        (checks.REFUSED,),
    ),
    Bug(
        "full-batch-drops-a-record",
        "The record for which a batch had no room any more is not put into the next one.",
        "engine/transactional/transaction.py",
        "        at += _fill(batch, islice(records, at, None), now)",
        "        at += _fill(batch, islice(records, at, None), now) + 1",
        (checks.PACKING,),
    ),
    Bug(
        "no-fence",
        "Every owner has a transactional id of its own, so that nobody ends what the one before does.",
        "engine/transactional/partition.py",
        """f"{self._config.transactional_id_prefix}-{self.number}", self._config.limits""",
        """f"{self._config.transactional_id_prefix}-{self.number}-{id(self)}", self._config.limits""",
        (checks.FENCED,),
    ),
    Bug(
        "fence-after-restore",
        "Offset and state are read first, and the older owner is fenced only then.",
        "engine/transactional/partition.py",
        """\
        await self._fence(producer)
        await self._state.open(producer)
""",
        """\
        early = new_producer(self._config.bootstrap, f"early-{id(self)}", self._config.limits)
        await early.start()
        await self._state.open(early)
        await early.stop()
        await self._fence(producer)
""",
        (checks.OLD_TRANSACTION, checks.TAKEN_OVER),
    ),
    Bug(
        "hanging-transactions-not-swept",
        "What the coordinator forgot of an older owner's transaction stays open after the fence.",
        "engine/transactional/partition_state.py",
        """\
            await sweep(producer, self._swept)
            found =""",
        """\
            found =""",
        (checks.FORGOTTEN,),
    ),
    Bug(
        "restore-reads-uncommitted",
        "The state is rebuilt from aborted records, too.",
        "engine/transactional/restore.py",
        'isolation_level: str = "read_committed"',
        'isolation_level: str = "read_uncommitted"',
        (checks.ABORTED,),
    ),
    Bug(
        "cache-ahead-of-the-commit",
        "The local store is written before the transaction is durable.",
        "engine/transactional/partition_state.py",
        """\
        offset_commit_due = bool(records) and decided - self._told < config.limits.offsets
""",
        """\
        processor.committed(mark)
        offset_commit_due = bool(records) and decided - self._told < config.limits.offsets
""",
        (checks.UNCOMMITTED_CACHE,),
    ),
    Bug(
        "mark-ahead-of-its-data",
        "The families of the local store reach the disk one by one, the mark before the data (no atomic flush).",
        "engine/store/store.py",
        "options.set_atomic_flush(True)",
        "options.set_atomic_flush(False)",
        (checks.KILLED_STORE,),
    ),
    Bug(
        "cache-of-another-topic-trusted",
        "A local store is read on from although its topic was deleted and made anew (topic ids ignored).",
        "engine/kafka/checkpoint.py",
        "log = Log(bounds.cluster.id, bounds.cluster.topics[tp.topic], ",
        "log = Log(bounds.cluster.id, self.cluster.topics[tp.topic], ",
        (checks.CHECKPOINT,),
    ),
    Bug(
        "progress-of-another-topic-trusted",
        "The offset reached in an input topic holds for the one that was made anew under its name (topic ids ignored).",
        "engine/transactional/progress.py",
        "reached is not None and reached.topic_id != topic_id",
        "reached is not None and not topic_id",
        (checks.NEXT_OFFSET, checks.ANEW),
    ),
    Bug(
        "progress-ignored",
        "Only the group's committed offset says where to go on, which Kafka forgets.",
        "engine/transactional/restore.py",
        "next_offset(committed, reached, topic_id)",
        "next_offset(committed, None, topic_id)",
        (checks.NO_OFFSET,),
    ),
    Bug(
        "offset-of-the-whole-batch-with-its-first-part",
        "A large batch is decided in several transactions, and the first one commits the offset behind the last.",
        "engine/transactional/partition_state.py",
        "            end = end_of(records[-1])\n",
        "",
        (checks.LEFT_EARLY,),
    ),
    Bug(
        "long-work-taken-for-a-standstill",
        "A batch that takes longer than the watchdog waits ends the worker, although it is committed part by part.",
        "engine/transactional/partition_state.py",
        "            batch.part()\n",
        "",
        (checks.PARTS,),
    ),
    Bug(
        "state-kept-though-others-committed",
        "A partition that comes back goes on with its old state, whoever worked on it meanwhile.",
        "engine/transactional/partition_state.py",
        "if kept and found.start == self.position:",
        "if kept:",
        (checks.KEPT,),
    ),
    Bug(
        "records-below-the-offset-decided-again",
        "A batch that begins before the next offset is decided whole.",
        "engine/transactional/partition_state.py",
        "if end_of(record) > self.position]",
        "if end_of(record) > 0]",
        (checks.HOLE,),
    ),
    Bug(
        "gap-not-noticed",
        "A partition goes on behind a hole as if the records in it had been decided.",
        "engine/transactional/partition_state.py",
        "raise Gap(config.topic, self._number, self.position, batch.start)",
        "pass",
        (checks.HOLE,),
    ),
    Bug(
        "gap-between-batches-not-noticed",
        "An agent goes on behind a batch that Faust dropped.",
        "engine/faust/rounds.py",
        "raise Gap(topic, partition, buffer.delivered, fetched.start)",
        "pass",
        (checks.STREAM, checks.FIRST_OF_STREAM),
    ),
    Bug(
        "first-batch-of-a-buffer-taken-on-trust",
        "An agent goes on behind the first batch of a partition, which Faust dropped.",
        "engine/faust/partition_buffer.py",
        "            self.delivered = self.start\n",
        "            pass\n",
        (checks.FIRST_OF_STREAM,),
    ),
    Bug(
        "buffers-cleared-without-their-positions",
        "What was read ahead is thrown away by the later of two rewinds, which has set its positions long before.",
        "engine/faust/consumer_thread.py",
        "        return committed\n",
        "        self._buffers.clear()\n        return committed\n",
        (checks.REWOUND,),
    ),
    Bug(
        "room-is-not-heard-of",
        "What was fetched for a buffer that was full waits for the next look at all buffers, though a batch was done.",
        "engine/faust/consumer_thread.py",
        "        notify(self._news)\n        notify(self._room)\n",
        "        notify(self._news)\n",
        (checks.ROOM,),
    ),
    Bug(
        "round-acknowledged-by-its-first-batch",
        "A rebalance does not wait for the other batches that were fetched together.",
        "engine/faust/rounds.py",
        "        if not self.left:\n",
        "        if self.left:\n",
        (checks.ROUND,),
    ),
    Bug(
        "parting-without-a-word",
        "The group does not hear how far a partition is when its owner leaves.",
        "engine/transactional/partition.py",
        """\
            if batch is None:
                await self._state.commit_position(producer)
""",
        """\
            if batch is None:
""",
        (checks.PARTING,),
    ),
    Bug(
        "offsets-without-progress",
        "What the group has not heard yet of a killed owner is done twice: progress is written only with offsets.",
        "engine/transactional/partition_state.py",
        """\
        if records:
            outputs.append(self._progress(end))
""",
        """\
        if records and clock() - self._told >= config.limits.offsets:
            outputs.append(self._progress(end))
""",
        (checks.UNHEARD,),
    ),
    Bug(
        "late-batch-opens-the-partition",
        "A batch that comes after the partition was given up opens it again, and fences the rightful owner.",
        "engine/transactional/partition.py",
        """\
        else:
            batch.done()

    async def park""",
        """\
        else:
            self.start()
            self._queue.put_nowait(batch)

    async def park""",
        (checks.NO_OWNER,),
    ),
    Bug(
        "revoked-partition-works-on",
        "What is queued when a partition is taken away is decided all the same.",
        "engine/transactional/partition.py",
        """\
            self._accepting = False
            _drop_all(self._queue)
            self._queue.put_nowait(None)
""",
        """\
            self._accepting = False
            self._queue.put_nowait(None)
""",
        (checks.REVOKED,),
    ),
    Bug(
        "stopped-worker-does-not-leave",
        "A static member that is told to stop stays in the group, and its partitions wait for its session to end.",
        "engine/faust/consumer_thread.py",
        "                will_leave(self._consumer)\n",
        "                pass\n",
        (checks.STOPPED,),
    ),
    Bug(
        "displaced-member-joins-again",
        "Of two workers with one instance id the displaced one joins again, displaces the other one, and so on.",
        "engine/faust/transport.py",
        "if revoked and self._thread.displaced():",
        "if not revoked and self._thread.displaced():",
        (checks.DISPLACED,),
    ),
    Bug(
        "restore-marked-ahead",
        "A restore that is cut short counts as done.",
        "engine/transactional/restore.py",
        "reached(min(position, end))",
        "reached(end)",
        (checks.CUT_SHORT,),
    ),
    Bug(
        "tombstone-without-the-mark",
        "A tombstone lacks the header by which the bus knows its own records: what it erases comes back.",
        "engine/transactional/transaction.py",
        "if record.marked and MARK not in headers:",
        "if record.marked and MARK not in headers and record.value is not None:",
        (checks.MARKED,),
    ),
    Bug(
        "foreign-record-believed",
        "What somebody else wrote on the bus's own topics is taken for the bus's.",
        "engine/kafka/sieve.py",
        "if MARK in record.headers or is_ours(record):",
        "if is_ours(record) is not None:",
        (checks.FOREIGN_ONCE,),
    ),
    Bug(
        "foreign-record-told-of-again",
        "A restart without a local store tells again of every foreign record that there ever was.",
        "engine/transactional/foreign_search.py",
        "if record.offset < self.seen[tp] or tp in self._left:",
        "if tp in self._left:",
        (checks.FOREIGN_ONCE,),
    ),
    Bug(
        "hole-not-looked-into",
        "A foreign record that comes while the owner works is never told of: its place counts as looked through.",
        "engine/transactional/foreign_search.py",
        "holes[tp] = end",
        "self.seen[tp] = end",
        (checks.FOREIGN_MEANWHILE,),
    ),
    Bug(
        "looked-through-and-told-nobody",
        "Who restores everything and then gets no event says nothing of it: the next start reads it all once more.",
        "engine/transactional/foreign_search.py",
        "self._untold += seen - self.seen[tp]",
        "self._untold += 0",
        (checks.TOLD_AT_ONCE,),
    ),
    Bug(
        "newer-version-passed-over",
        "What a later version of the bus wrote counts as foreign, and is left out.",
        "engine/kafka/mark.py",
        "if version > VERSION:",
        "if version > VERSION + 1_000_000:",
        (checks.NEWER,),
    ),
    Bug(
        "progress-of-infinity",
        "What a foreign record under our key says of the progress is computed with before it is looked at.",
        "engine/transactional/progress.py",
        'told["offset"], told.get("seen", {}))',
        'int(told["offset"]), told.get("seen", {}))',
        (checks.NO_PROGRESS,),
    ),
)
