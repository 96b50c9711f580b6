"""Bugs of the reading of compressed and broken batches."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "bomb-unpacked-whole",
        "A compressed batch is unpacked whatever it becomes.",
        "engine/kafka/record_batch.py",
        "unpack(codec, raw[HEAD:], limit, bytes(head))",
        "unpack(codec, raw[HEAD:], limit << 8, bytes(head))",
        (checks.UNPACKED_LIMIT, checks.BOMB),
    ),
    Bug(
        "fetches-are-kept",
        "What was fetched stays in memory after it was read, until somebody collects garbage.",
        "engine/kafka/privates/fetches.py",
        "                        self._records_iterator = iter(())\n",
        "                        pass\n",
        (checks.FETCHES,),
    ),
    Bug(
        "size-in-a-snappy-block-unlimited",
        "A block of snappy is unpacked into as much memory as it says that it needs.",
        "engine/kafka/decompression.py",
        "    if cramjam.snappy.decompress_raw_len(packed) > len(body) - written:\n        raise _TooLarge(written)\n",
        "",
        (checks.UNPACKING,),
    ),
    Bug(
        "large-batch-passes-in-silence",
        "Of a batch that becomes too large the records that were read have letters, and the rest has none.",
        "engine/kafka/record_batch.py",
        "            yield Unusable(*self._place, first, timestamp, None, bytes(self._raw), flaw, last)\n",
        "            yield from ()\n",
        (checks.BOMB,),
    ),
    Bug(
        "broken-batch-read-again-for-ever",
        "A batch that can't be parsed is an error, and is fetched again.",
        "engine/kafka/record_batch.py",
        """\
            yield from self._rest(Flaw.UNREADABLE)
        else:
""",
        """\
            raise
        else:
""",
        (checks.NONSENSE_BATCH,),
    ),
    Bug(
        "offset-outside-of-its-batch-believed",
        "One record with an offset that lies carries the reader past those of others.",
        "engine/kafka/privates/fetches.py",
        "if self.next_fetch_offset <= offset < end:",
        "if self.next_fetch_offset <= offset:",
        (checks.LYING_OFFSET,),
    ),
    Bug(
        "unpacks-without-room",
        "A batch is unpacked although all the memory for it is in use.",
        "engine/kafka/privates/fetches.py",
        "self.waits = not self.budget.has_room(_bounds.batch)",
        "self.waits = False",
        (checks.NO_ROOM,),
    ),
    Bug(
        "done-and-still-held",
        "What a batch had unpacked counts against the process after it is done.",
        "engine/faust/rounds.py",
        "        fetched.release()\n",
        "",
        (checks.RELEASED,),
    ),
    Bug(
        "all-parts-on-their-way-at-once",
        "All parts of a large batch are sent at once, whatever their size.",
        "agents/intake.py",
        "                if under_way > UNDER_WAY_BYTES:\n",
        "                if under_way < 0:\n",
        (checks.UNDER_WAY,),
    ),
    Bug(
        "restore-waits-for-its-own-room",
        "A restore holds on to the records that it has applied while it waits for room for the next ones.",
        "engine/transactional/restore.py",
        "                    del records, wanted  # their memory is reserved, and the next fetch may wait for it\n",
        "",
        (checks.RESTORE_ROOM,),
    ),
)
