"""The bus that a command works on: its settings, its contracts, and its Kafka."""

from __future__ import annotations

import os
import socket
import time
from functools import cached_property
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from deploy import node

from .given import Given
from .problem import Code, Problem

if TYPE_CHECKING:
    from runtime.settings import Settings
    from schemas.registry import Registry
    from schemas.topics import Topic

#: Seconds to wait for Kafka before a command reports it as unreachable.
PATIENCE = 5.0


class Bus:
    """Imports and looks up everything lazily: the help of a verb and the completion of options need no bus."""

    def __init__(self, given: Given | None = None) -> None:
        self.given = given or Given()

    @cached_property
    def settings(self) -> Settings:
        """The settings; the command line takes precedence. Raises ``Problem``."""
        from pydantic_settings.exceptions import SettingsError

        from runtime.settings import Settings

        try:
            return Settings(**self.given.settings)
        except ValidationError as error:
            raise Problem(_refused(error), Code.USAGE) from error
        except (SettingsError, TOMLDecodeError) as error:
            raise Problem(f"The settings can't be read: {error}.", Code.USAGE) from error

    @cached_property
    def registry(self) -> Registry:
        """The departments' contracts."""
        from schemas.registry import Registry

        return Registry.discover()

    @property
    def database(self) -> Path:
        """The SQLite file of the sink. Raises ``Problem`` when the settings name another kind of database."""
        named = self.settings.database
        if named is None:
            return self.settings.data_dir.absolute() / "cxbus.db"
        kind, separator, path = named.partition(":///")
        if kind.partition("+")[0] != "sqlite" or not separator or not path:
            raise Problem(
                "CXBUS_DATABASE is not an SQLite URL; write sqlite:///relative/path.db or sqlite:////absolute/path.db "
                "(others are not supported yet).",
                Code.USAGE,
            )
        return Path(path).absolute()

    def address(self) -> str:
        """Bootstrap servers, whether they answer or not. Raises ``Problem`` if no embedded Kafka was started here."""
        if self.settings.bootstrap is not None:
            return self.settings.bootstrap
        known = node.load(self.settings.data_dir / "kafka" / "node.json")
        if known is None or not known.owned():
            raise Problem(
                f"Nothing is running here; start it with `cxbus run`. (Looked in {self.settings.data_dir.absolute()}; "
                "--data-dir names another directory, --bootstrap a Kafka that you have.)",
                Code.AWAY,
            )
        return known.bootstrap

    def bootstrap(self) -> str:
        """Bootstrap servers that answer. Raises ``Problem`` after ``PATIENCE`` seconds."""
        servers = self.address()
        until = time.monotonic() + PATIENCE
        while not any(map(_listens, servers.split(","))):
            if time.monotonic() < until:
                time.sleep(0.2)
            elif self.settings.embedded:
                raise Problem(
                    f"The embedded Kafka at {servers} does not answer: it is starting or stopping. "
                    "Try again in a few seconds.",
                    Code.AWAY,
                )
            else:
                raise Problem(f"No Kafka answers at {servers}. Is it running, and is the address right?", Code.AWAY)
        return servers

    def catalogue(self, replication: int) -> tuple[Topic, ...]:
        """All topics of this bus, with ``replication`` replicas. Raises ``SettingsError``."""
        return self.registry.topics(self.settings.partition_count(), replication)


def bus_of(context: typer.Context) -> Bus:
    """The bus that the options on the command line name."""
    return Bus(context.find_object(Given))


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1).close()
    except ValueError:
        raise Problem(
            f"{server.strip()!r} is not the address of a Kafka broker; write host:port.", Code.USAGE
        ) from None
    except OSError:
        return False
    return True


def _refused(error: Any) -> str:
    """A message that names each wrong setting by its variable. It shows no values: one of them is a secret."""
    lines = [f"CXBUS_{str(wrong['loc'][0]).upper()}: {wrong['msg']}" for wrong in error.errors()]
    files = [name for name in (".env", "cxbus.toml") if os.path.exists(name)]  # noqa: PTH110 -- names for a sentence
    where = " or ".join(["the environment", *files])
    return f"A setting is wrong (look in {where}): " + "; ".join(lines) + "."
