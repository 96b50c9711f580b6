"""The commands that fix findings, ready to be pasted into a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .finding import Finding, wrong


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands for one cluster. ``scripts``: use Kafka's scripts; the embedded Kafka has none, so commands for it use
    the Python client's.
    """

    bootstrap: str
    scripts: bool

    def set_topic(self, topic: str, name: str, value: str) -> str:
        """The command that sets ``name`` of a topic."""
        if self.scripts:
            return f"{self._configs} --entity-type topics --entity-name {topic} --add-config {name}={value}"
        return f"{self._python} configs alter -r topic -n {topic} -c {name}={value}"

    def set_broker(self, name: str, value: str, *, fixed: bool, own: Sequence[int], nodes: Sequence[int]) -> list[str]:
        """The steps that set ``name`` of brokers.

        ``fixed``: only a restart changes it. ``own``: brokers with a value of their own, which would override the
        default of all brokers. ``nodes``: brokers whose value must change.
        """
        if fixed and self.scripts:
            return [f"Put {name}={value} into server.properties of each broker, and restart them one after the other."]
        if fixed:
            return ["Restart the bus: the embedded Kafka gets its settings when it starts."]
        if not self.scripts:
            return [f"{self._python} configs alter -r broker -n {node} -c {name}={value}" for node in nodes]
        lines = [f"{self._configs} --entity-type brokers --entity-name {node} --delete-config {name}" for node in own]
        return [*lines, f"{self._configs} --entity-type brokers --entity-default --add-config {name}={value}"]

    def abort(self, topic: str, partition: int, *, start: int, producer: int, epoch: int) -> str:
        """The command that aborts a hanging transaction. ``start`` is its first offset in the partition."""
        if self.scripts:
            return (
                f"kafka-transactions.sh --bootstrap-server {self.bootstrap} abort "
                f"--topic {topic} --partition {partition} --start-offset {start}"
            )
        return (
            f"{self._python} transactions abort -t {topic} -p {partition} "
            f"--producer-id {producer} --producer-epoch {epoch}"
        )

    def move(self, topic: str, replicas: Mapping[int, Sequence[int]]) -> tuple[str, str]:
        """The steps that move a topic's partitions to these brokers: a file, and the command that reads it."""
        moves = [{"topic": topic, "partition": number, "replicas": list(on)} for number, on in replicas.items()]
        return (
            f"Write into {topic}.json: {json.dumps({'version': 1, 'partitions': moves})}",
            f"kafka-reassign-partitions.sh --bootstrap-server {self.bootstrap} "
            f"--reassignment-json-file {topic}.json --execute",
        )

    @property
    def _configs(self) -> str:
        return f"kafka-configs.sh --bootstrap-server {self.bootstrap} --alter"

    @property
    def _python(self) -> str:
        return f"python -m kafka.admin -b {self.bootstrap}"


def away(words: str, *, embedded: bool) -> Finding:
    """The finding that Kafka does not answer; ``words`` says how."""
    if embedded:
        return wrong("Kafka", words, "Start the bus with `cxbus run`, then run `cxbus doctor` again.")
    return wrong("Kafka", words, "Start Kafka, or set CXBUS_BOOTSTRAP to its address, then run `cxbus doctor` again.")
