"""What is remembered between two runs of the embedded broker."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.node import BrokerNode, claimed, load, save


def test_a_saved_node_is_loaded_again(tmp_path: Path) -> None:
    save(tmp_path / "node.json", BrokerNode(40_001, 40_002, 7))
    assert load(tmp_path / "node.json") == BrokerNode(40_001, 40_002, 7)
    assert [path.name for path in tmp_path.iterdir()] == ["node.json"]


PORTS = '{"broker_port": 99999, "controller_port": 40002, "owner": 7}'


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"broker_port": 1}', '{"broker_port": "x"}', "\0\0", PORTS]
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "node.json").write_text(content)
    assert load(tmp_path / "node.json") is None


def test_no_file_is_no_node(tmp_path: Path) -> None:
    assert load(tmp_path / "node.json") is None


def test_ports_that_are_still_free_are_kept() -> None:
    first = claimed(None, owner=1)
    assert claimed(first, owner=2) == BrokerNode(first.broker_port, first.controller_port, 2)
    assert first.broker_port != first.controller_port


def test_a_port_that_somebody_took_is_replaced() -> None:
    first = claimed(None, owner=1)
    with socket.create_server(("127.0.0.1", first.broker_port)):
        second = claimed(first, owner=1)
    assert second.broker_port != first.broker_port
    assert second.controller_port == first.controller_port


def test_a_node_is_owned_while_the_program_that_started_it_lives() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert BrokerNode(1, 2, os.getpid()).owned()
    assert not BrokerNode(1, 2, gone.pid).owned()
