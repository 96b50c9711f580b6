"""A second network, connected with ours by one cable that can be cut. Needs ``namespace.in_namespace``.

Kafka advertises 127.0.0.1, so on the far side that address is routed over the cable to us. A cut cable loses packets
silently, in both directions: connections stay open and hear nothing, as when a switch dies.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

NEAR_ADDRESS, FAR_ADDRESS = "10.99.0.1", "10.99.0.2"
_CLONE_NEWNET = 0x40000000
_ON_THE_FAR_SIDE = f"""
ip link set lo up
ip address add {FAR_ADDRESS}/24 dev far
ip link set far up
echo 1 > /proc/sys/net/ipv4/conf/far/route_localnet
echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind
ip address del 127.0.0.1/8 dev lo
ip route add 127.0.0.1/32 dev far src {FAR_ADDRESS}
"""


class NetworkPartition:
    """The network as a context manager; ``entered`` starts processes there."""

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.write(b"\n")
        self._holder.stdin.flush()
        self._holder.stdout.readline()  # it answers, so it has its network
        pid = str(self._holder.pid)
        _run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
        _run("ip", "link", "set", "far", "netns", pid)
        _run("ip", "address", "add", f"{NEAR_ADDRESS}/24", "dev", "near")
        _run("ip", "link", "set", "near", "up")
        Path("/proc/sys/net/ipv4/conf/near/route_localnet").write_text("1")
        _run("nsenter", f"--net=/proc/{pid}/ns/net", "sh", "-ec", _ON_THE_FAR_SIDE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        _run("ip", "link", "del", "near")
        self._holder.communicate()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread starts meanwhile lives on the far side."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{self._holder.pid}/ns/net", os.O_RDONLY)
        try:
            _set_network(there)
            try:
                yield
            finally:
                _set_network(home)
        finally:
            os.close(there)
            os.close(home)

    def cut(self) -> None:
        """From now on every packet is lost."""
        _run("ip", "link", "set", "near", "down")

    def mend(self) -> None:
        """The cable carries again."""
        _run("ip", "link", "set", "near", "up")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _set_network(descriptor: int) -> None:
    """``os.setns``, which Python has since 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
