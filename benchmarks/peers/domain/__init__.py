"""The business of the Python peers: checking an event, and what it does to its customer. Needs orjson only.

Written for speed: plain dicts as JSON has them, one table of event types, nothing decoded twice in a hop. Instants are
integer UTC microseconds; texts are RFC 3339. State is judged as of an event's own time with what has arrived until
then; what comes late is filed, but earlier judgements are not taken back.
"""

from __future__ import annotations

from .intake import Dead, Routed, accept, letter
from .journey import Result, newcomer, take, uid_of
from .vocabulary import JSON, micros

__all__ = ["JSON", "Dead", "Result", "Routed", "accept", "letter", "micros", "newcomer", "take", "uid_of"]
