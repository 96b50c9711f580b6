"""How large a record may be that the bus writes."""

from __future__ import annotations

from engine.transactional.transaction import Output

MOST_BYTES = 1_400_000
"""Of a record's value: below a batch's 1.5 MB, with room for key and headers. What is written is bounded so that it
fits (ADR 23); what would not is a decision that failed.
"""


class OutputTooLarge(Exception):
    """What a record would have written does not fit into one of Kafka's: the decision failed."""

    def __init__(self, size: int, topic: str) -> None:
        super().__init__(f"{size} bytes for {topic}")


def fitting(output: Output) -> Output:
    """The output. Raises ``OutputTooLarge``."""
    if output.value is not None and len(output.value) > MOST_BYTES:
        raise OutputTooLarge(len(output.value), output.topic)
    return output
