"""A data directory whose database knows a few customers, as a sink wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.identifiers import Identifiers
from cli.bus import Bus
from cli.sink_input import sink_topics
from engine.kafka.copies import Log
from runtime.settings import Settings
from schemas.topics import IDENTITIES, PROFILES, TIMELINE, alerts_topic
from sinks.sql.sqlite import open_sink
from tests.unit.sinks.messages import START_MS, Logs, alert, entry, profile, redirect

ADA, OLD_ADA, BEN = "c_ada", "c_oldada", "c_ben"
FIRED = "a_fired"
EXPIRED = "a_expired"
EVIDENCE = {
    "source": "/mail",
    "id": "m1",
    "type": "marketing.campaign.sent.v1",
    "time": "2026-05-28T20:26:40Z",
    "values": {"campaignId": "S1"},
}


def database(data_dir: Path) -> Path:
    """Write it; Ada is known by an old id and an e-mail address, and two alerts were told of her."""
    identifiers = Identifiers(Settings(data_dir=data_dir).key())
    logs = Logs()
    known = [{"type": "email", "value": "a…@example.com"}]
    open_ = [{"entity": "case", "id": "K1", "since": "2026-05-28T20:26:40Z", "category": "complaint"}]
    more: Mapping[str, Any] = {"identifiers": known, "open": open_, "entries": 3, "lastContact": {}}
    logs.append(PROFILES, ADA, profile(ADA, "Ada Lovelace", **more))
    logs.append(PROFILES, OLD_ADA, redirect(OLD_ADA, ADA))
    logs.append(PROFILES, BEN, profile(BEN, "Ben \x1b[31mRed", identifiers=[], entries=0))
    for uid in ("u1", "u2", "u3"):
        logs.append(TIMELINE, f"{ADA}/{uid}", entry(ADA, uid, at=START_MS * 1000 + int(uid[1]) * 1_000_000))
    for kind, value, who in (("email", "ada@example.com", OLD_ADA), ("customer_no", "C-1042", ADA)):
        logs.append(IDENTITIES, f"i/{identifiers.hash(kind, value)}", {"id": who, "type": kind})
    for department in ("marketing", "service"):
        told = alert(
            ADA, FIRED, departments=["marketing", "service"], evidence=[EVIDENCE], expiresAt="2999-01-01T00:00:00Z"
        )
        logs.append(alerts_topic(department), ADA, told)
    logs.append(
        alerts_topic("sales"), ADA, alert(ADA, EXPIRED, rule="upsell-moment", departments=["sales"], severity="info")
    )
    copied = sink_topics(Bus())
    sink = open_sink(data_dir / "cxbus.db", copied)
    ends = {(topic, 0): 0 for topic in copied.kinds()} | logs.ends
    sink.attach({at: Log("cluster", f"{at[0]}-id", 0, end) for at, end in ends.items()}, START_MS)
    sink.add(logs.records)
    sink.flush()
    sink.close()
    return data_dir
