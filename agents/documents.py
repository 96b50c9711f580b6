"""A customer in bytes: the public profile as JSON, and the state that a restart needs beside it, as MessagePack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import NamedTuple

import msgspec
import orjson

from core.alerts.alert import Alert
from core.bounds import VALUE_BYTES
from core.customer.customer import MOST_IDENTIFIERS, MOST_SHOWN, Customer
from core.rules.conditions.condition import EVIDENCE_LIMIT
from core.rules.reading import MOST_WHERE
from core.rules.ruleset import RuleSet
from core.timeline.derived import Derived
from core.timeline.entry import BEFORE_ALL
from core.timeline.features import Contacts, Feature, Latest, Ref, Unanswered
from core.timeline.matters import Matters, MattersOf
from engine.kafka.errors import Permanent
from schemas import instant
from schemas.outputs import PROFILE_UPDATED

from .cloud_event import cloud_event
from .profile_parts import ProfileParts

SCHEMA = 6
"""Version of the state's form, and of the journal from which it is folded. A worker that finds another number is older
or newer than the data and must not start.
"""

STATE_BYTES = 256 * 1024
"""Bytes of the derived state above which it is left out: it is folded from the entries again when it is needed."""

# Bytes that each part of a state takes at most; tests check them against the largest possible.
_OPEN_BYTES = 8 * 1024 + MOST_SHOWN * (512 + 3 * (VALUE_BYTES + 72))
_MASKS_BYTES = MOST_IDENTIFIERS * 800
_ALERT_BYTES = 600 + (EVIDENCE_LIMIT + 1) * (MOST_WHERE + 40)
_ARRIVING_BYTES = 96

_STATES: Mapping[type[Feature], object] = {MattersOf: Matters, Unanswered: Contacts, Latest: Ref | None}
"""The type of the states of each kind of feature."""


class OtherVersion(Permanent):
    """A profile was written by another version of the bus, in a form that this one does not know."""


class Document(NamedTuple):
    """A customer's record: ``profile`` is public; ``state`` is the bus's own."""

    profile: bytes
    state: bytes

    @classmethod
    def parse(cls, stored: bytes) -> Document:
        """Splits what ``stored`` has joined."""
        end = _LENGTH + int.from_bytes(stored[:_LENGTH], "big")
        return cls(stored[end:], stored[_LENGTH:end])

    def stored(self) -> bytes:
        """State and profile as one value."""
        return len(self.state).to_bytes(_LENGTH, "big") + self.state + self.profile


_LENGTH = 4
_PROFILE = b'%b,"identifiers":%b,"entries":%d,"lastContact":%b,"standing":%b}'


class Head(NamedTuple):
    """What a restore reads of a document: the customer's id, the journal's clock as of it (µs), and the alerts."""

    customer: str
    appended: int
    alerts: Sequence[Alert]


STATE = "state"
"""The header of a profile's record that holds the state."""


class _Head(msgspec.Struct, array_like=True):
    schema: int


class _Former(msgspec.Struct):
    """A state as it was inside the profile up to form 3."""

    schema: int


class _Stated(msgspec.Struct):
    state: _Former


class _FormerMessage(msgspec.Struct):
    data: _Stated


class _State(msgspec.Struct, array_like=True):
    """The state as MessagePack has it, an array. ``digest``: of the rules from which ``derived`` and the ends of alerts
    follow. Instants in µs.
    """

    schema: int
    appended: int
    until: int
    version: int
    digest: str
    derived: msgspec.Raw
    folded_until: int
    name_at: int
    last_at: int
    latest_at: int
    alerts: list[Alert]
    archived: int
    forgets_at: int
    decided_until: int
    arriving: dict[str, int]
    unjudged: bool


class _Profile(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=True):
    customer_id: str
    name: str | None = None
    identifiers: list[dict[str, str]]
    entries: int = 0
    open: list[dict[str, object]] = []
    open_count: int = 0
    last_contact: dict[str, instant.InstantText] = {}
    merged_into: str | None = None


class _Message(msgspec.Struct):
    data: _Profile


class Documents:
    """Encodes and decodes customers under these ``rules``."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._parts = ProfileParts(rules)
        states = GenericAlias(tuple, tuple(_STATES[type(feature)] for feature in rules.features))
        self._derived: msgspec.msgpack.Decoder[tuple[int, tuple[object, ...]] | None] = msgspec.msgpack.Decoder(
            GenericAlias(tuple, (int, states)) | None
        )
        self._encoder = msgspec.msgpack.Encoder()

    def encode(self, customer: Customer, message_id: str) -> Document:
        """The customer's record. ``message_id``: id of the profile's CloudEvent."""
        return self.weighed(customer, message_id)[0]

    def weighed(self, customer: Customer, message_id: str) -> tuple[Document, int]:
        """The record, and its size in bytes with all of the derived state: so much is kept in memory."""
        message = cloud_event(PROFILE_UPDATED, message_id, customer.appended, self.profile(customer))
        derived = self._encoder.encode(customer.derived)
        fits = len(derived) <= STATE_BYTES
        document = Document(message, self._state(customer, derived if fits else _NIL))
        return document, len(message) + len(document.state) + (0 if fits else len(derived))

    def forget(self, customer: str) -> None:
        """Drops the cached parts of the customer's profile."""
        self._parts.forget(customer)

    def forget_all(self) -> None:
        """Drops the cached parts of all profiles."""
        self._parts.clear()

    def new(self, name: str) -> Customer:
        """A new customer, without entries."""
        return Customer(name, Derived(BEFORE_ALL, self._rules.empty))

    def _state(self, customer: Customer, derived: bytes) -> bytes:
        """What a restart needs beside the profile."""
        return self._encoder.encode(
            _State(
                SCHEMA,
                customer.appended,
                customer.until,
                customer.version,
                self._rules.digest,
                msgspec.Raw(derived),
                customer.folded_until,
                customer.name_at,
                customer.last_at,
                customer.latest_at,
                customer.alerts,
                customer.archived,
                customer.forgets_at,
                customer.decided_until,
                customer.arriving,
                customer.unjudged,
            )
        )

    def profile(self, customer: Customer) -> bytes:
        """The public profile, as JSON."""
        if customer.merged_into is not None:
            return orjson.dumps({"customerId": customer.id, "identifiers": [], "mergedInto": customer.merged_into})
        standing = [alert.rule for alert in customer.alerts if alert.standing]
        return _PROFILE % (
            self.brief(customer)[:-1],
            self._parts.identifiers(customer),
            customer.entries,
            self._parts.last_contact(customer),
            orjson.dumps(standing) if standing else b"[]",
        )

    def _known(self, state: _State) -> tuple[int, tuple[object, ...]] | None:
        """The derived state; ``None`` if it is of other rules or can't be read: then it is folded from the entries."""
        if state.digest != self._rules.digest:
            return None
        try:
            return self._derived.decode(state.derived)
        except msgspec.DecodeError:
            return None

    def brief(self, customer: Customer) -> bytes:
        """The customer's name and open matters, as JSON: what a person reads before contacting the customer."""
        return self._parts.brief(customer)

    def decode(self, document: Document) -> Customer:
        """Decodes the customer, without derived state if the document is of other rules. Raises as ``head`` does."""
        state, profile = _parts(document)
        customer = Customer(
            profile.customer_id,
            None,
            is_new=False,
            name=profile.name,
            name_at=state.name_at,
            identifiers=[(one["type"], one["value"]) for one in profile.identifiers],
            last_contact={name: instant.of(at) for name, at in profile.last_contact.items()},
            entries=profile.entries,
            last_at=state.last_at,
            latest_at=state.latest_at,
            folded_until=state.folded_until,
            appended=state.appended,
            until=state.until,
            alerts=state.alerts,
            archived=state.archived,
            forgets_at=state.forgets_at if state.digest == self._rules.digest else BEFORE_ALL,
            decided_until=state.decided_until,
            arriving=state.arriving,
            unjudged=state.unjudged,
            merged_into=profile.merged_into,
            version=state.version,
        )
        derived = self._known(state)
        if derived is None:
            customer.published_matters = profile.open, profile.open_count
        else:
            customer.derived = Derived(*derived)
        return customer


def head(document: Document) -> Head:
    """The parts of the document that a restore looks at. Raises ``OtherVersion``, and ``ValueError`` for what no
    version of the bus writes.
    """
    state, profile = _parts(document)
    return Head(profile.customer_id, state.appended, state.alerts)


def _parts(document: Document) -> tuple[_State, _Profile]:
    """The state and the profile. Raises as ``head`` does."""
    head = _HEAD.decode(document.state) if document.state else _FORMER.decode(document.profile).data.state
    if head.schema != SCHEMA:
        raise OtherVersion(f"a profile has a state of version {head.schema}; this version of the bus knows {SCHEMA}")
    state = _STATE.decode(document.state)
    return state, _MESSAGE.decode(document.profile).data


def bytes_at_most(customer: Customer) -> int:
    """An upper bound of the record's bytes: a quick check of whether it fits."""
    return _MOST_BUT_LISTS + len(customer.alerts) * _ALERT_BYTES + len(customer.arriving) * _ARRIVING_BYTES


_MOST_BUT_LISTS = STATE_BYTES + _OPEN_BYTES + _MASKS_BYTES
_NIL = msgspec.msgpack.encode(None)
_HEAD = msgspec.msgpack.Decoder(_Head)
_FORMER = msgspec.json.Decoder(_FormerMessage)
_STATE = msgspec.msgpack.Decoder(_State)
_MESSAGE = msgspec.json.Decoder(_Message)
