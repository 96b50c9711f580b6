"""The tables. Instants are integer UTC microseconds; columns of ``JSON`` hold JSON text.

JSON is stored as text: a string may contain U+0000, which PostgreSQL's JSON type refuses. Plain text columns have
U+FFFD in place of that character. ``log_partition`` and ``log_offset`` name the record that a row comes from.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
)

from ..base import SinkRefused

SCHEMA_VERSION = 1

metadata = MetaData()

JSON = Text

timeline = Table(
    "timeline",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("department", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received", BigInteger),
    Column("time", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("identifiers", JSON, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("moved", Boolean, nullable=False),
    Column("log_partition", Integer, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
)
Index("timeline_in_order", timeline.c.customer_id, timeline.c.at, timeline.c.uid)

profiles = Table(
    "profiles",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("merged_into", Text),
    Column("name", Text),
    Column("name_folded", Text),  # for search: ``names.folded``, because LIKE treats case differently in each database
    Column("tier", Text),
    Column("document", JSON, nullable=False),  # the public profile, without the engine's ``state``
    Column("updated", BigInteger, nullable=False),
    Column("log_partition", Integer, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("rule_version", BigInteger),
    Column("instance_key", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("customer", JSON, nullable=False),  # the customer brief
    Column("name_folded", Text),
    Column("historical", Boolean, nullable=False),
    Column("muted", Boolean, nullable=False),
    Column("source", Text, nullable=False),  # with ``message_id``: the message that this state comes from
    Column("message_id", Text, nullable=False),
    Column("journal_offset", BigInteger, nullable=False),  # -1: the message does not say
    Column("recorded", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("log_partition", Integer, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
)
Index("alerts_of_customer", alerts.c.customer_id, alerts.c.time)
Index("alerts_in_order", alerts.c.time, alerts.c.alert_id, alerts.c.customer_id)

alert_departments = Table(
    "alert_departments",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("department", Text, primary_key=True),
    Column("recorded", BigInteger, nullable=False),  # time of the department's last message
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),  # alerts recorded up to here must not be kept
)

identities = Table(
    "identities",
    metadata,
    Column("key", Text, primary_key=True),  # i/<keyed hash>, c/<customer id>, #<setting>
    Column("customer_id", Text),
    Column("type", Text),
    Column("merged_into", Text),
    Column("document", JSON, nullable=False),
    Column("log_offset", BigInteger, nullable=False),
)

sink_offsets = Table(
    "sink_offsets",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("cluster_id", Text, nullable=False),
    Column("topic_id", Text, nullable=False),
)

sink_meta = Table(
    "sink_meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def prepare(connection: Connection) -> None:
    """Create the tables if they are missing. Raises SinkRefused for tables of another version."""
    if not check(connection):
        metadata.create_all(connection)
        connection.execute(insert(sink_meta), {"name": "schema", "value": str(SCHEMA_VERSION)})


def check(connection: Connection) -> bool:
    """Whether the tables exist. Raises SinkRefused when they are of another version."""
    if not inspect(connection).has_table(sink_meta.name):
        return False
    found = connection.scalar(select(sink_meta.c.value).where(sink_meta.c.name == "schema"))
    if found != str(SCHEMA_VERSION):
        raise SinkRefused(
            f"The database has tables of version {found}; this cxbus knows version {SCHEMA_VERSION}. "
            "Use the cxbus that wrote it, or another database: a new one is filled from the topics."
        )
    return True
