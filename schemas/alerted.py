"""The departments that receive alerts. Importing this loads every department's contract."""

from __future__ import annotations

from .registry import Registry

ALERTED = Registry.discover().alerted
