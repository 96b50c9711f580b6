"""Which bus a command is about, and what it says when there is none."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from cli import bus as module
from cli.bus import Bus
from cli.given import Given
from cli.problem import Code, Problem


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings from the machine that runs the tests, and no long waiting."""
    for name in [name for name in os.environ if name.startswith("CXBUS_") and name != "CXBUS_CACHE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "PATIENCE", 0.1)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def node(data_dir: Path, port: int, owner: int) -> None:
    (data_dir / "kafka").mkdir()
    said = {"broker_port": port, "controller_port": port + 1, "owner": owner}
    (data_dir / "kafka" / "node.json").write_text(json.dumps(said))


def test_what_the_command_line_says_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_BOOTSTRAP", "elsewhere:1")
    assert "here:2" == Bus(Given(bootstrap="here:2")).settings.bootstrap


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_PARTITIONS", "many-secrets")
    with pytest.raises(Problem) as caught:
        _ = Bus().settings
    assert Code.USAGE == caught.value.code
    assert "CXBUS_PARTITIONS: " in str(caught.value)
    assert "many-secrets" not in str(caught.value)


def test_a_country_that_iso_names_otherwise_is_asked_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXBUS_PHONE_REGION", "UK")
    with pytest.raises(Problem, match="CXBUS_PHONE_REGION: did you mean GB") as refused:
        _ = Bus().settings
    assert Code.USAGE == refused.value.code


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cxbus.toml").write_text("partitions = = 4")
    with pytest.raises(Problem, match=r"The settings can't be read: .*line 1") as caught:
        _ = Bus().settings
    assert Code.USAGE == caught.value.code


def test_without_a_broker_nothing_is_running_here(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"Nothing is running here; start it with `cxbus run`") as caught:
        Bus(Given(data_dir=tmp_path)).bootstrap()
    assert Code.AWAY == caught.value.code


def test_a_broker_whose_starter_died_is_not_running(tmp_path: Path) -> None:
    node(tmp_path, closed_port(), owner=2**22 + 1)
    with pytest.raises(Problem, match="Nothing is running here"):
        Bus(Given(data_dir=tmp_path)).bootstrap()


def test_a_broker_that_does_not_answer_yet_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    node(tmp_path, closed_port(), owner=os.getpid())
    with pytest.raises(Problem, match="does not answer: it is starting or stopping") as caught:
        Bus(Given(data_dir=tmp_path)).bootstrap()
    assert Code.AWAY == caught.value.code


def test_the_embedded_broker_is_found_in_the_data_directory(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        node(tmp_path, port, owner=os.getpid())
        assert f"127.0.0.1:{port}" == Bus(Given(data_dir=tmp_path)).bootstrap()


def test_a_given_kafka_that_is_away_is_named() -> None:
    port = closed_port()
    with pytest.raises(Problem, match=f"No Kafka answers at 127.0.0.1:{port}") as caught:
        Bus(Given(bootstrap=f"127.0.0.1:{port}")).bootstrap()
    assert Code.AWAY == caught.value.code


def test_one_of_several_brokers_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        both = f"127.0.0.1:{closed_port()},127.0.0.1:{listener.getsockname()[1]}"
        assert both == Bus(Given(bootstrap=both)).bootstrap()


@pytest.mark.parametrize("address", ["kafka", "kafka:", "kafka:port"])
def test_what_is_no_address_is_a_usage_error(address: str) -> None:
    with pytest.raises(Problem, match="is not the address of a Kafka broker; write host:port") as caught:
        Bus(Given(bootstrap=address)).bootstrap()
    assert Code.USAGE == caught.value.code
