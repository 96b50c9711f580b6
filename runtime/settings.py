"""Settings: environment ``CXBUS_*``, then ``.env``, then ``./cxbus.toml``. No default is a secret."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from core.identity.fuse import LINKS_A_DAY, MOST_A_DAY
from runtime.problems import Code

from .identifier_settings import check_blocked, check_own_type, known_region

EMBEDDED_PARTITIONS = 4
MOST_WORKERS = 64
"""The most workers that one `cxbus run` starts."""


class SettingsError(Exception):
    """A setting that is missing or invalid. The message says which, and what to do."""

    exit_code = Code.USAGE


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(env_prefix="CXBUS_", env_file=".env", toml_file="cxbus.toml", extra="ignore")

    bootstrap: str | None = Field(None, description="Kafka to use, host:port[,host:port]; default: the embedded one.")
    partitions: int | None = Field(
        None, ge=1, le=1024, description="Partitions of the topics keyed by customer; required on a cluster."
    )
    replication: int | None = Field(None, ge=1, le=9, description="Replicas of each topic; default min(3, brokers).")
    identity_key: SecretStr | None = Field(
        None, description="Key of the identifiers' hashes, at least 16 characters; required on a cluster."
    )
    data_dir: Path = Field(Path(".cxbus"), description="Where the bus keeps its data.")
    database: str | None = Field(
        None, description="Database of the sink, a SQLAlchemy URL; default SQLite in data_dir."
    )
    rules_dir: Path | None = Field(None, description="Folder of the alert rules; default: the shipped ones.")
    phone_region: str | None = Field(
        None, description="Country (ISO 3166) of phone numbers without +; default: they do not identify."
    )
    blocked_identifiers: list[str] = Field(
        default_factory=list,
        description="Values and patterns (*) that never identify, such as the company's switchboard; "
        "with a type before it: phone:+44 20 7946 0000.",
    )
    identifier_types: list[str] = Field(
        default_factory=list, description="The company's own types of identifiers, beside the built-in ones."
    )
    identifier_links_per_day: int = Field(
        LINKS_A_DAY,
        ge=1,
        le=MOST_A_DAY,
        description="A value is blocked when it appears with stronger identifiers of more other customers in 24 h.",
    )
    ops_host: str = Field("127.0.0.1", description="Address of /metrics, /livez and /readyz.")
    ops_port: int = Field(0, ge=0, le=65535, description="Port of the worker's ops pages; 0: a free one.")
    app_id: str = Field("cxbus", pattern="^[a-z][a-z0-9-]{0,40}$", description="Name of the workers' consumer group.")
    unpacked_batch_bytes: int = Field(
        32 * 1024 * 1024, ge=1024 * 1024, description="Largest size of a record batch after decompression, in bytes."
    )
    unpacked_bytes: int = Field(
        256 * 1024 * 1024, ge=1024 * 1024, description="Decompressed data that a process may hold at a time, in bytes."
    )
    workers: int | Literal["auto"] = Field(
        "auto", description="Worker processes that `cxbus run` starts; auto: as many as fit the cores."
    )

    @field_validator("workers", mode="before")
    @classmethod
    def _workers(cls, number: object) -> int | Literal["auto"]:
        text = str(number).strip().lower()
        if text == "auto":
            return "auto"
        if text in (numbers := {str(number): number for number in range(1, MOST_WORKERS + 1)}):
            return numbers[text]
        raise PydanticCustomError("workers", f"expected a number from 1 to {MOST_WORKERS}, or auto")

    @field_validator("phone_region")
    @classmethod
    def _region(cls, region: str | None) -> str | None:
        return region if region is None else known_region(region)

    @field_validator("identifier_types")
    @classmethod
    def _own_types(cls, names: list[str]) -> list[str]:
        for name in names:
            check_own_type(name)
        return names

    @field_validator("blocked_identifiers")
    @classmethod
    def _blocked(cls, entries: list[str]) -> list[str]:
        for entry in entries:
            check_blocked(entry)
        return entries

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources in the order of precedence."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def embedded(self) -> bool:
        """Whether the bus brings its own Kafka."""
        return self.bootstrap is None

    def partition_count(self) -> int:
        """The number of partitions of the topics keyed by customer. Raises ``SettingsError``."""
        if self.partitions is not None:
            return self.partitions
        if self.embedded:
            return EMBEDDED_PARTITIONS
        raise SettingsError(
            "CXBUS_PARTITIONS is not set. On a cluster say how many partitions the customers' topics have "
            "(12 is a good start); the number can't be changed later."
        )

    def worker_count(self, cores: int) -> int:
        """The number of workers for so many cores: ``auto`` leaves one core to Kafka and the sink, and never starts
        more workers than there are partitions. Raises ``SettingsError``.
        """
        if self.workers == "auto":
            return max(1, min(cores - 1, self.partition_count(), MOST_WORKERS))
        return self.workers

    def key(self) -> bytes:
        """The key of the identifiers' hashes; generated once for the embedded broker. Raises ``SettingsError``."""
        if self.identity_key is not None:
            key = self.identity_key.get_secret_value().encode()
            if len(key) < 16:
                raise SettingsError("CXBUS_IDENTITY_KEY is too short; give at least 16 characters")
            return key
        if not self.embedded:
            raise SettingsError(
                "CXBUS_IDENTITY_KEY is not set. Identifiers are stored as keyed hashes; on a cluster every worker must "
                'be given the same key. Make one with: python -c "import secrets; print(secrets.token_hex(32))"'
            )
        return generated_key(self.data_dir / "identity.key")


def generated_key(path: Path) -> bytes:
    """The key in ``path``, readable by its owner only; generated by the first call, in whatever process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes().strip()
