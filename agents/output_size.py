"""The size limit of records that the bus writes."""

from __future__ import annotations

from engine.transactional.transaction import Output

MOST_BYTES = 1_400_000
"""Bytes of a record's value at most: below a batch's 1.5 MB, with room for key and headers. Outputs are bounded so that
they fit (ADR 23); a decision whose output does not fit has failed.
"""


class OutputTooLarge(Exception):
    """An output does not fit into a Kafka record: the decision failed."""

    def __init__(self, size: int, topic: str) -> None:
        super().__init__(f"{size} bytes for {topic}")


def fitting(output: Output) -> Output:
    """The output, if it fits. Raises ``OutputTooLarge``."""
    if output.value is not None and len(output.value) > MOST_BYTES:
        raise OutputTooLarge(len(output.value), output.topic)
    return output
