"""Copies an earlier owner's records into the journey's archive, and checks that they have the form of the bus's."""

from __future__ import annotations

from core.alerts.alert import Alert
from core.timeline.entry import DAY, rfc3339
from engine.kafka.record import KafkaRecord
from schemas.journal import Origin
from schemas.topics import NOTIFIED, TIMELINE

from . import stored_alert
from .archive import Archive
from .documents import STATE, Document, OtherVersion, head
from .record_forms import are_valid_alerts, may_be_told, received_at
from .timeline_entry import MATTER, STOOD_AT


def mirror(record: KafkaRecord, archive: Archive) -> int:
    """Copies the record; returns the journal's clock as of it (µs), 0 if the record does not have it.

    Raises ``OtherVersion``; ``ValueError`` and others for what no owner has written.
    """
    name = record.key.decode()
    if record.topic == TIMELINE:
        _entry(record, archive)
        return 0
    if record.topic == NOTIFIED:
        _archived_alert(name, record, archive)
        return 0
    return _profile(name, record, archive)


def _entry(record: KafkaRecord, archive: Archive) -> None:
    if record.value is None:
        archive.mirror_erased(record.key)
        return
    headers = dict(record.headers)
    archive.mirror(record.key, record.value, headers.get(MATTER, b""), stood_elsewhere=STOOD_AT in headers)


def _archived_alert(name: str, record: KafkaRecord, archive: Archive) -> None:
    if record.value is not None and not _is_closed_alert(name, stored_alert.alert(record.value)):
        raise ValueError("no archived alert of that key")
    archive.set_archived(record.key, record.value)


def _is_closed_alert(key: str, alert: Alert) -> bool:
    """Whether the bus can have written the alert under that key, ``<customer>/<alert id>``."""
    return key.partition("/")[2] == alert.id and may_be_told(alert)


def _profile(name: str, record: KafkaRecord, archive: Archive) -> int:
    if record.value is None:
        archive.set_profile(name, None)
        return 0
    document = Document(record.value, dict(record.headers).get(STATE, b""))
    try:
        customer, appended, alerts = head(document)
    except OtherVersion as error:
        place = Origin(record.topic, record.partition, record.offset)
        raise OtherVersion(f"the record {place}: {error}") from error
    rfc3339(appended)  # raises unless it can be written into messages
    if customer != name or not are_valid_alerts(alerts):
        raise ValueError("no profile of that customer")
    archive.set_profile(name, document.stored())
    if record.timestamp <= 0 or appended <= received_at(record) + DAY:
        return appended
    return 0  # a forged one in the future would stop the clock for all other customers
