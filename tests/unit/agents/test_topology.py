"""What makes a topology right; the bus's own; and that a worker's stages do what it says, no less and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.app import Worker
from agents.keys import key_of_ours
from agents.stages import topology
from agents.topology import Process, Stage, Topology, Transactions, Write
from agents.vocabulary import vocabulary
from core.rules.parsing import parse_rule
from core.rules.ruleset import RuleSet
from engine.transactional.transaction import Output
from runtime.settings import Settings
from schemas.topics import JOURNAL, LINKS, PROGRESS, Topic

from .bench import PARTITIONS, REGISTRY, Journal, event
from .test_intake import House, seen


@pytest.fixture
def ours() -> Topology:
    return topology(REGISTRY, "cxbus", PARTITIONS)


# --- which topologies are right ---------------------------------------------------------------------------------------

A, B, STATE = Topic("a", 2, 1, "delete", 1), Topic("b", 2, 1, "delete", 1), Topic("state", 2, 1, "compact", 1)
NOTED = Topic("noted", 2, 1, "compact", 1)
TOPICS = (A, B, STATE, NOTED)


def stage(name: str, *, reads: Iterable[str] = (), writes: Iterable[str] = (), **more: Any) -> Stage:
    words = {"does": "something", "process": Process.WORKER, "guarantee": "at least once", "by": "luck", "group": name}
    return Stage(name=name, reads=tuple(reads), writes=tuple(Write(one, "it") for one in writes), **{**words, **more})


OUTSIDE = stage("outside", reads=["b"], writes=["a"], process=Process.DEPARTMENT)
OWNER = stage(
    "owner",
    reads=["a"],
    writes=["b", "state", "noted"],
    state=("state",),
    guarantee="exactly once",
    transactions=Transactions("owner", "noted", 0),
)


def test_a_topology_in_which_every_topic_has_a_writer_and_a_reader_is_right() -> None:
    made = Topology((OUTSIDE, OWNER), TOPICS)
    assert made["owner"] is OWNER
    assert (OWNER,) == made.of(Process.WORKER)
    with pytest.raises(KeyError):
        made["nobody"]


@pytest.mark.parametrize(
    ("stages", "wrong"),
    [
        ((OUTSIDE, OWNER, replace(OUTSIDE, writes=())), "two stages are called outside"),
        ((OUTSIDE, replace(OWNER, reads=("a", "c"))), "owner uses c, which is not in the catalogue"),
        ((OUTSIDE, OWNER, stage("more", writes=["c"])), "more uses c, which is not in the catalogue"),
        ((replace(OUTSIDE, writes=()), OWNER), "nobody writes a"),
        ((replace(OUTSIDE, reads=()), OWNER), "nobody reads b"),
        ((replace(OUTSIDE, lookups=("b",)), OWNER), "outside names b twice"),
        ((OUTSIDE, OWNER, stage("more", writes=["state"])), "state is the state of owner, and others write it"),
        ((OUTSIDE, replace(OWNER, state=("state", "a"))), "owner keeps its state on a, and does not write it"),
        ((OUTSIDE, replace(OWNER, state=("state", "b"))), "owner keeps its state on b, which is not compacted"),
        ((OUTSIDE, replace(OWNER, group=None)), "owner runs in a worker and is in no group"),
        ((OUTSIDE, replace(OWNER, transactions=None)), "owner writes exactly once, and has no transactions"),
        ((OUTSIDE, replace(OWNER, reads=("a", "b"))), "owner has transactions, and not one input"),
        ((OUTSIDE, OWNER, stage("more", reads=["a"], group="owner")), "two stages of group owner read a"),
        (
            (OUTSIDE, OWNER, replace(OWNER, name="more", state=(), group="more")),
            "two stages have the transactional id owner",
        ),
        (
            (OUTSIDE, OWNER, replace(OWNER, name="more", state=(), group="more")),
            "partitions 0 to 1 of noted are for the progress of 2 input partitions",
        ),
        (
            (OUTSIDE, replace(OWNER, transactions=Transactions("owner", "noted", 1))),
            "partition 0 of noted is for the progress of 0 input partitions",
        ),
        (
            (OUTSIDE, replace(OWNER, transactions=Transactions("owner", "noted", 1))),
            "partition 2 of noted is for the progress of 1 input partitions",
        ),
    ],
)
def test_what_can_not_work_is_refused_with_all_that_is_wrong(stages: tuple[Stage, ...], wrong: str) -> None:
    with pytest.raises(ValueError, match="the topology can't work: ") as caught:
        Topology(stages, TOPICS)
    assert wrong in str(caught.value).removeprefix("the topology can't work: ").split("; ")


# --- the bus's own ----------------------------------------------------------------------------------------------------


def test_groups_and_transactional_ids_stay_or_an_updated_bus_would_not_go_on_where_it_was() -> None:
    other = topology(REGISTRY, "other", 12)
    assert {"other"} == {one.group for one in other.of(Process.WORKER)}
    assert ["other-sink"] == [one.group for one in other.of(Process.SINK)]
    assert other["resolver"].transactions == Transactions("other-resolver", PROGRESS, 12)
    assert other["journey"].transactions == Transactions("other-journey", PROGRESS, 0)
    assert "resolver-7" == other["resolver"].store_of(7)
    assert "directory" == other["intake"].store_of()


def test_each_department_writes_its_own_events_and_reads_its_own_alerts_alone(ours: Topology) -> None:
    found = {one.name: (one.reads, one.written) for one in ours.of(Process.DEPARTMENT)}
    assert (("cx.alerts.sales.v1",), ("cx.sales.events.v1",)) == found["department sales"]
    assert (("cx.alerts.ops.v1",), ()) == found["department ops"]
    assert {"cx.web.events.v1"} == set(found["department web"][1])


def test_the_records_that_say_how_far_a_stage_is_are_known_as_the_buss_own(ours: Topology) -> None:
    owners = [one for one in ours.stages if one.transactions is not None]
    assert ["resolver", "journey"] == [one.name for one in owners]
    assert all(key_of_ours(PROGRESS, f"{one.name}/0".encode()) for one in owners)


# --- a worker does what it says ---------------------------------------------------------------------------------------


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    for lasting in ("install_bounded_fetching", "install_fast_encoding"):  # they change aiokafka for the whole process
        monkeypatch.setattr(f"engine.faust.application.{lasting}", lambda *_: None)
    settings = Settings(data_dir=tmp_path, partitions=PARTITIONS, app_id="cxbus", bootstrap=None)
    made = Worker(settings, "localhost:1", "0")
    yield made
    made.directory.close()


def test_a_worker_is_wired_as_the_topology_says(worker: Worker, ours: Topology) -> None:
    agents = {name: set(agent.channel.topics) for name, agent in worker.app.agents.items()}
    assert agents == {one.name: set(one.reads) for one in ours.of(Process.WORKER)}
    for owner, one in ((worker.resolver, ours["resolver"]), (worker.journey, ours["journey"])):
        config, transactions = owner._config, one.transactions
        assert transactions is not None
        assert (owner.topic,) == one.reads
        assert (config.group_id, config.transactional_id_prefix) == (one.group, transactions.id)
        log = config.progress
        assert (log.topic, log.stage, log.first) == (transactions.progress, one.name, transactions.first)
        processor = config.make_processor(0)
        assert one.state == tuple(source.topic for source in processor.sources())
        processor.close()
        assert (worker._home / one.store_of(0)).is_dir()
    assert (worker._home / ours["intake"].store_of()).is_dir()


TO_ALL = parse_rule(
    {
        **{"rule": "to-all", "about": "a mail", "version": 1, "when": "marketing.campaign.sent.v1", "cooldown": "0s"},
        **{"if": {"field": "channel", "is": "email"}, "expires": "1h", "severity": "info"},
        **{"notify": [*REGISTRY.alerted], "reason": "a mail", "action": "none"},
    },
    vocabulary(REGISTRY),
    REGISTRY.outreach,
)


class Stages:
    """A worker's stages one after the other; what each writes is noted."""

    def __init__(self, home: Path) -> None:
        self.house, self.journal = House(home), Journal(home / "journeys", RuleSet([TO_ALL], vocabulary(REGISTRY)))
        self.wrote: defaultdict[str, set[str]] = defaultdict(set)

    def publish(self, value: bytes | None, department: str) -> None:
        made = self.house.publish(value, department)
        self.wrote["intake"].add(made.topic)
        passed = [made] if made.topic != LINKS else self._resolved(made)
        for one in passed:
            if one.topic == JOURNAL:
                self.journeyed(one)

    def _resolved(self, link: Output) -> list[Output]:
        before = len(self.house.identities)
        outputs = self.house.resolve(link)
        self.wrote["resolver"] |= {one.topic for one in (*outputs, *self.house.identities[before:])}
        return outputs

    def journeyed(self, one: Output) -> None:
        assert one.key is not None
        outputs = self.journal.tell(one.key.decode(), one.value or b"", one.headers)
        self.wrote["journey"] |= {made.topic for made in outputs}

    def close(self) -> None:
        self.house.resolver.close()
        self.house.directory.close()
        self.journal.close()


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Stages]:
    made = Stages(tmp_path)
    yield made
    made.close()


def campaign(day: int, number: int, **more: Any) -> bytes:
    return event(
        "marketing.campaign.sent.v1", f"2026-11-{day:02}T09:00:00Z", number, campaignId="S", channel="email", **more
    )


def test_the_stages_write_all_that_the_topology_names_and_nothing_else(stages: Stages, ours: Topology) -> None:
    for day in range(2, 8):  # alerts to everybody, which close
        stages.publish(campaign(day, day), "marketing")
    stages.publish(campaign(2, 2, name="another"), "marketing")  # an id that was used
    stages.publish(b"{", "web")
    stages.publish(seen(("phone", "+442079460018"), number=1), "web")
    stages.publish(seen(("phone", "+442079460018"), ("email", "ada@example.com"), number=2), "web")  # a merge
    stranger = {"alertId": "a_1", "customerId": "c_nobody", "department": "sales", "by": "kim"}
    stages.publish(event("bus.alert.acknowledged.v1", "2026-11-09T09:00:00Z", **stranger, customer=None), "sales")
    for one in ours.of(Process.WORKER):
        engine = set() if one.transactions is None else {one.transactions.progress}
        assert stages.wrote[one.name] | engine == set(one.written), one.name
