"""Errors that end a worker: nothing is retried after one of these, a supervisor restarts the worker."""

from __future__ import annotations


class Fatal(Exception):
    """The process must end with a non-zero exit code; the text is the one log line that ops read first."""


class Permanent(Fatal):
    """A restart does not help: the process ends with exit code 2, and a supervisor does not start it again."""


class TakenOver(Fatal):
    """Kafka refused this worker's transaction: a newer producer of the same partition exists, or it timed out."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(
            f"another worker took over partition {partition} of {topic}, or this one was too slow for its transaction"
        )


class Gap(Fatal):
    """Records that nobody has processed lie between the next offset and the batch that arrived."""

    def __init__(self, topic: str, partition: int, expected: int, start: int) -> None:
        super().__init__(f"partition {partition} of {topic}: expected offset {expected}, got a batch from {start} on")


class StoreFailed(Fatal):
    """The local store could not be read or written. Decisions made since then are void."""

    def __init__(self, directory: object, error: Exception) -> None:
        super().__init__(f"the local store {directory} failed: {error}")


class RecordTooLarge(Fatal):
    """An output does not fit into an empty batch. The application should have made it a dead letter before."""

    def __init__(self, topic: str, key_bytes: int, value_bytes: int, limit: int) -> None:
        super().__init__(
            f"record for {topic} is too large: key {key_bytes} bytes, value {value_bytes} bytes, limit {limit} bytes"
        )
