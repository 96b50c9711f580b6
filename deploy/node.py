"""What the embedded broker keeps from its last run: its ports and its owner. If the file is lost, the ports change."""

from __future__ import annotations

import json
import os
import random
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
#: A broker's port is chosen from these, below the range from which systems take the ports of outgoing connections. From
#: that range a client that connects to a stopped broker could itself get the broker's port, connect to itself and block
#: the port.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class BrokerNode:
    """The content of ``node.json``."""

    broker_port: int
    controller_port: int
    owner: int
    """Process id of the program that started the broker."""

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers, ``host:port``."""
        return f"{LOOPBACK}:{self.broker_port}"

    def owned(self) -> bool:
        """Whether the program that started the broker is alive."""
        try:
            os.kill(self.owner, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # alive, and owned by another user
        return True


def load(file: Path) -> BrokerNode | None:
    """The node stored in ``file``; None if the file is missing or invalid."""
    try:
        node = BrokerNode(**{name: int(number) for name, number in json.loads(file.read_text()).items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return node if all(0 < port < 65_536 for port in (node.broker_port, node.controller_port)) else None


def save(file: Path, node: BrokerNode) -> None:
    """Write ``node`` atomically: a concurrent reader of ``file`` gets the old node or the new one."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(asdict(node)))
    beside.replace(file)


def claimed(known: BrokerNode | None, owner: int) -> BrokerNode:
    """The node of a new run: with the ports of ``known`` where they are free, else with other ports.

    Raises ``OSError`` if no port is free.
    """
    wanted = (known.broker_port, known.controller_port) if known else (0, 0)
    broker, controller = _free_ports(*wanted)
    return BrokerNode(broker, controller, owner)


def _free_ports(*wanted: int) -> list[int]:
    """For each wanted port: itself if it is free, else (and for 0) a free one of ``PORTS``; all different."""
    listeners: list[socket.socket] = []
    try:
        listeners.extend(_listening(port) or _listening_anywhere() for port in wanted)
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def _listening(port: int) -> socket.socket | None:
    try:  # with SO_REUSEADDR, like Java: connections of the last run in TIME_WAIT do not matter
        return socket.create_server((LOOPBACK, port)) if port else None
    except OSError:
        return None


def _listening_anywhere() -> socket.socket:
    for port in random.sample(PORTS, len(PORTS)):
        listener = _listening(port)
        if listener:
            return listener
    raise OSError(f"no port between {PORTS.start} and {PORTS.stop} is free on {LOOPBACK}")
