"""Intake and resolver: every record ends in the journal, the links log or the dead letters, with a reason."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import orjson
import pytest
from prometheus_client import CollectorRegistry

from agents import intake
from agents.directory import Directory
from agents.identifiers import Identifiers
from agents.key_record import OtherNormalisation, WrongKey
from agents.metrics import Metrics
from agents.pipeline import Pipeline
from agents.resolver import Resolver
from core.identity.fuse import LINKS_A_DAY
from core.identity.links import Node
from engine.kafka.decompression import Flaw
from engine.kafka.errors import Permanent
from engine.kafka.record import Unusable
from engine.transactional.batch import Batch
from engine.transactional.transaction import Output, Targets
from engine.transactional.unit import decided
from schemas.codec import Codec, Decoded
from schemas.dead_letter import ERRORS
from schemas.envelope import Headers
from schemas.journal import NODES, header_of
from schemas.refusal import Refusal
from schemas.registry import Registry
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS, partition_of

from .bench import CODEC, CONFIG, IDENTIFIERS, MARK, PARTITIONS, event, record

NOW = 1_795_000_000_000


class House:
    """A pipeline of which intake and resolver are handed each other's records by the test."""

    def __init__(
        self,
        home: Path,
        codec: Codec = CODEC,
        identifiers: Identifiers = IDENTIFIERS,
        links_a_day: int = LINKS_A_DAY,
    ) -> None:
        config = replace(CONFIG, codec=codec, identifiers=identifiers, links_a_day=links_a_day)
        self.home = home
        self.pipeline = Pipeline(config, home)
        self.directory, self.intake = self.pipeline.directory, self.pipeline.intake
        self.resolver, self.metrics = self.pipeline.resolver, self.pipeline.metrics
        self.links = 0
        self.identities: list[Output] = []

    def publish(
        self, value: bytes | None, department: str = "web", headers: tuple[tuple[str, bytes], ...] = ()
    ) -> Output:
        topic = f"cx.{department}.events.v1"
        (output,) = self.intake.route([record(topic, 2, 9, value, b"raw key", headers, NOW)])
        return output

    def resolve(self, output: Output, *, learn: bool = True) -> list[Output]:
        assert LINKS == output.topic
        link = record(LINKS, 0, self.links, output.value, output.key, output.headers, NOW)
        self.links += 1
        outputs = self.pipeline.unit(self.resolver, [link])
        found = [one for one in outputs if one.topic == IDENTITIES]
        self.identities += found
        if learn:
            self.directory.learn([record(IDENTITIES, 0, 0, one.value, one.key) for one in found])
        return [one for one in outputs if one.topic != IDENTITIES]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.pipeline.close()


def seen(*identifiers: tuple[str, str], number: int = 0, time: str = "2026-11-17T09:00:00Z") -> bytes:
    customer = {"identifiers": [{"type": kind, "value": value} for kind, value in identifiers]}
    return event("web.page.viewed.v1", time, number, customer=customer, url="https://example.com/")


def test_a_new_customer_goes_through_the_links_log_and_a_known_one_straight_to_the_journal(house: House) -> None:
    value = seen(("email", "Ada@example.com"))
    (journaled,) = house.resolve(house.publish(value))
    assert (JOURNAL, value) == (journaled.topic, journaled.value)
    straight = house.publish(seen(("email", "ada@EXAMPLE.com"), number=1))
    assert (JOURNAL, journaled.key) == (straight.topic, straight.key)
    assert journaled.key is not None
    assert partition_of(journaled.key.decode(), PARTITIONS) == straight.partition
    known = header_of(dict(straight.headers))
    assert ("event", "cx.web.events.v1/2/9", NOW * 1000) == (known.kind, known.origin, known.received)
    assert NODES not in dict(journaled.headers)


def test_a_link_between_two_customers_merges_the_younger_into_the_older(house: House) -> None:
    (old,) = house.resolve(house.publish(seen(("email", "ada@example.com"))))
    (young,) = house.resolve(house.publish(seen(("phone", "+442079460018"))))
    both = seen(("phone", "020 7946 0018"), ("email", "ada@example.com"), number=2)
    merge, linked = house.resolve(house.publish(both))
    assert (young.key, {"into": old.key.decode(), "version": 2}) == (merge.key, orjson.loads(merge.value))  # type: ignore[union-attr, arg-type]
    assert (old.key, both) == (linked.key, linked.value)
    assert old.key == house.publish(seen(("phone", "+442079460018"), number=3)).key


def test_an_intake_that_lags_is_slower_but_never_wrong(house: House) -> None:
    (first,) = house.resolve(house.publish(seen(("email", "ada@example.com"))), learn=False)
    (second,) = house.resolve(house.publish(seen(("email", "ada@example.com"), number=1)), learn=False)
    assert first.key == second.key


def test_a_restored_resolver_decides_as_the_one_that_died(house: House, tmp_path: Path) -> None:
    (first,) = house.resolve(house.publish(seen(("email", "ada@example.com"))))
    house.resolve(house.publish(seen(("login", "ada"), ("email", "ada@example.com"), number=1)))
    restored = Resolver(0, PARTITIONS, IDENTIFIERS, tmp_path / "again", Metrics(CollectorRegistry()))
    restored.restore([record(IDENTITIES, 0, n, one.value, one.key) for n, one in enumerate(house.identities)])
    link = record(LINKS, 0, 2, *_link(house, seen(("login", "ADA"), ("device", "d"), number=2)), timestamp=NOW)
    assert first.key == next(one for one in decided(restored, [link]) if one.topic == JOURNAL).key
    restored.close()


def _link(house: House, value: bytes) -> tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]:
    output = house.publish(value)
    assert LINKS == output.topic
    return output.value, output.key, output.headers


def test_another_key_refuses_to_start(house: House, tmp_path: Path) -> None:
    house.resolve(house.publish(seen(("email", "ada@example.com"))))
    other = Identifiers(b"quite another key")
    stranger = Resolver(0, PARTITIONS, other, tmp_path / "other", Metrics(CollectorRegistry()))
    stranger.restore([record(IDENTITIES, 0, n, one.value, one.key) for n, one in enumerate(house.identities)])
    with pytest.raises(WrongKey, match="CXBUS_IDENTITY_KEY") as caught:
        stranger.opened(MARK)
    assert isinstance(caught.value, Permanent)  # no restart mends it
    stranger.close()


def test_another_key_refuses_to_go_on_with_what_is_on_disk(house: House) -> None:
    house.resolve(house.publish(seen(("email", "ada@example.com"))))
    house.resolver.close()
    metrics = Metrics(CollectorRegistry())
    stranger = Resolver(0, PARTITIONS, Identifiers(b"quite another key"), house.home / "resolver-0-0", metrics)
    assert stranger.checkpoint() is not None
    with pytest.raises(WrongKey, match="CXBUS_IDENTITY_KEY"):
        stranger.opened(MARK)
    stranger.close()


def outdated(house: House) -> list[Output]:
    """The identities as another version of the normalisation would have left them."""
    house.resolve(house.publish(seen(("email", "ada@example.com"))))
    (key, *others) = house.identities
    return [msgspec.structs.replace(key, value=orjson.dumps({"fingerprint": IDENTIFIERS.fingerprint})), *others]


def test_identities_of_another_normalisation_are_refused_and_what_to_rebuild_is_said(
    house: House, tmp_path: Path
) -> None:
    found = [record(IDENTITIES, 0, n, one.value, one.key) for n, one in enumerate(outdated(house))]
    resolver = Resolver(0, PARTITIONS, IDENTIFIERS, tmp_path / "other", Metrics(CollectorRegistry()))
    resolver.restore(found)
    with pytest.raises(
        OtherNormalisation, match=r"version 1 of the normalisation.*without the bus's own topics"
    ) as one:
        resolver.opened(MARK)
    assert isinstance(one.value, Permanent)
    resolver.close()
    warm = Resolver(0, PARTITIONS, IDENTIFIERS, tmp_path / "other", Metrics(CollectorRegistry()))
    with pytest.raises(OtherNormalisation):
        warm.opened(MARK)
    warm.close()
    directory = Directory("nowhere", IDENTIFIERS, tmp_path / "lagging")
    with pytest.raises(OtherNormalisation):
        directory.learn(found)
    directory.close()


def test_an_extension_and_a_placeholder_join_nobody(house: House) -> None:
    def customer(number: int, *identifiers: tuple[str, str]) -> bytes | None:
        output = house.publish(seen(*identifiers, number=number))
        return (house.resolve(output)[-1] if output.topic == LINKS else output).key

    ann = customer(0, ("email", "ann@example.com"), ("phone", "+1 415 555 2671 ext. 101"), ("customer_no", "NaN"))
    bob = customer(1, ("email", "bob@example.com"), ("phone", "+1 415 555 2671 x102"), ("customer_no", "nan"))
    assert ann != bob
    assert ann == customer(2, ("phone", "tel:+14155552671;ext=101"))


def test_two_sources_may_use_the_same_ids(house: House) -> None:
    def uid(source: str) -> str:
        value = orjson.loads(seen(("email", "ada@example.com")))
        return header_of(dict(house.publish(orjson.dumps(value | {"source": source, "id": "1"})).headers)).uid.hex()

    assert [hashlib.sha256(f"/{name}\n1".encode()).hexdigest()[:32] for name in ("shop", "blog")] == [
        uid("/shop"),
        uid("/blog"),
    ]
    assert uid("/shop") == uid("/shop")


@pytest.mark.parametrize(
    ("value", "department", "reason", "words"),
    [
        (b"{", "web", "not-json", "not JSON"),
        (None, "web", "not-json", "no value"),
        (b"[]", "web", "not-cloudevents", "an array"),
        (seen(("email", "ada@example.com")), "sales", "wrong-topic", "cx.sales.events.v1"),
        (seen(("customer_no", "0000"), ("login", "guest")), "web", "no-identifier", "[1] (login) is a placeholder"),
        (seen(("email", "a@example.com"), ("e-mail", "b")), "web", "invalid-data", 'did you mean "email"?'),
        (seen(("email", "a@example.com"), time="2026-11-30T00:00:00Z"), "web", "time-in-future", "24 hours"),
        (b'{"x":"' + b"x" * 300_000 + b'"}', "web", "too-large", "262144"),
    ],
)
def test_what_cannot_be_used_goes_to_the_dead_letters_untouched_with_a_reason(
    house: House, value: bytes | None, department: str, reason: str, words: str
) -> None:
    letter = house.publish(value, department, (("x-team", b"web"),))
    headers = dict(letter.headers)
    assert (DEAD, b"raw key", value) == (letter.topic, letter.key, letter.value)
    assert (reason, b"web") == (headers["__cxbus.errors.exception"].decode(), headers["x-team"])
    assert words in headers["__cxbus.errors.message"].decode()
    assert (f"cx.{department}.events.v1", b"2", b"9") == (
        headers["__cxbus.errors.topic"].decode(),
        headers["__cxbus.errors.partition"],
        headers["__cxbus.errors.offset"],
    )
    assert 1.0 == house.metrics.dead.labels(department, reason)._value.get()


class Stumbling(Codec):
    """A codec with a mistake that one event brings to light."""

    def decode(self, department: str, value: bytes | None, headers: Headers | None) -> Decoded | Refusal:
        if value is not None and b"mallory" in value:
            raise RecursionError("mallory@example.com")
        return super().decode(department, value, headers)


def test_a_mistake_in_intake_costs_one_event_and_tells_nothing_of_it(tmp_path: Path) -> None:
    house = House(tmp_path, codec=Stumbling(Registry.discover()))
    bad = seen(("email", "mallory@example.com"))
    records = [
        record("cx.web.events.v1", 0, n, v, b"", (), NOW) for n, v in enumerate([bad, seen(("email", "b@c.de"))])
    ]
    letter, good = house.intake.route(records)
    assert (DEAD, bad, LINKS) == (letter.topic, letter.value, good.topic)
    headers = dict(letter.headers)
    assert (b"decision-error", b"intake") == (headers["__cxbus.errors.exception"], headers["__cxbus.errors.stage"])
    assert b"mallory" not in headers["__cxbus.errors.message"]


class Nameless(Identifiers):
    """Identifiers that can't name the customer of one node."""

    def mint(self, node: Node, offset: int) -> str:
        if offset == 0:
            raise ValueError("no name")
        return super().mint(node, offset)


def test_a_mistake_in_the_resolver_costs_one_event_which_can_be_sent_again(tmp_path: Path) -> None:
    house = House(tmp_path, identifiers=Nameless(b"a key for the tests"))
    value = seen(("email", "ada@example.com"))
    links = [
        record(LINKS, 0, offset, link.value, link.key, link.headers, NOW)
        for offset, link in enumerate([house.publish(value), house.publish(value)])
    ]
    outputs = [one for one in decided(house.resolver, links) if one.topic != IDENTITIES]
    assert [DEAD, JOURNAL] == [one.topic for one in outputs]
    headers = dict(outputs[0].headers)
    assert (b"decision-error", b"resolver", b"9") == (
        headers["__cxbus.errors.exception"],
        headers["__cxbus.errors.stage"],
        headers["__cxbus.errors.offset"],
    )
    assert value == outputs[0].value


def answer(customer: str) -> bytes:
    value = orjson.loads(
        event(
            "bus.alert.acknowledged.v1",
            "2026-11-17T09:00:00Z",
            alertId="a_1",
            customerId=customer,
            department="sales",
            by="kim",
        )
    )
    del value["data"]["customer"]
    return orjson.dumps(value)


def test_an_answer_finds_its_customer_by_the_id_it_echoes(house: House) -> None:
    (journaled,) = house.resolve(house.publish(seen(("email", "ada@example.com"))))
    assert journaled.key is not None
    note = house.publish(answer(journaled.key.decode()), "sales")
    assert (JOURNAL, journaled.key, "note") == (note.topic, note.key, header_of(dict(note.headers)).kind)


def test_an_answer_that_is_quicker_than_the_directory_finds_its_customer_through_the_resolver(house: House) -> None:
    (journaled,) = house.resolve(house.publish(seen(("email", "ada@example.com"))), learn=False)
    assert journaled.key is not None
    (note,) = house.resolve(house.publish(answer(journaled.key.decode()), "sales"))
    assert (JOURNAL, journaled.key, "note") == (note.topic, note.key, header_of(dict(note.headers)).kind)
    assert journaled.partition == note.partition


def test_an_answer_that_echoes_nobody_is_a_dead_letter(house: House) -> None:
    (letter,) = house.resolve(house.publish(answer("c_nobody"), "sales"))
    assert (DEAD, answer("c_nobody")) == (letter.topic, letter.value)
    headers = dict(letter.headers)
    assert (b"invalid-data", b"resolver") == (headers["__cxbus.errors.exception"], headers["__cxbus.errors.stage"])
    assert b"data.customerId is not a customer of this bus" in headers["__cxbus.errors.message"]


@pytest.mark.parametrize("seconds", [60.0, 0.0])
def test_what_takes_long_to_route_is_sent_in_parts_and_all_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    sent: list[list[bytes | None]] = []

    async def acknowledged(_producer: object, targets: Targets, _limit: int) -> None:
        sent.append([output.value for outputs in targets.values() for output in outputs])

    monkeypatch.setattr(intake, "PART_SECONDS", seconds)
    monkeypatch.setattr(intake, "send_all", acknowledged)
    monkeypatch.setattr(house.intake, "_producer", object())
    values = [seen(("email", "ada@example.com"), number=number) for number in range(5)]
    done: list[bool] = []
    records = [record("cx.web.events.v1", 0, offset, value, None, (), NOW) for offset, value in enumerate(values)]
    batch = Batch("cx.web.events.v1", 0, records, 0, 5, lambda: done.append(True))
    asyncio.run(house.intake.take([batch]))
    assert values == [value for part in sent for value in part]
    assert len(sent) == (1 if seconds else 5), "at least one record a part, however slow"
    assert [True] == done


def test_what_was_not_read_is_one_letter_about_all_of_its_offsets(house: House) -> None:
    rest = Unusable("cx.web.events.v1", 2, 9, NOW, None, b"the batch", Flaw.TOO_LARGE, 20)
    nonsense = Unusable("cx.web.events.v1", 2, 21, NOW, None, b"the batch", Flaw.UNREADABLE, 21)
    read = Unusable("cx.web.events.v1", 2, 8, NOW, b"key", b"value", Flaw.TOO_LARGE, 8, (("mine", b"1"),))
    outputs = house.intake.route([read, rest, nonsense])
    assert [DEAD] * 3 == [one.topic for one in outputs]
    told = [dict(one.headers) for one in outputs]
    assert [b"too-large", b"too-large", b"unreadable"] == [one[f"{ERRORS}exception"] for one in told]
    assert [b"8", b"9", b"21"] == [one[f"{ERRORS}offset"] for one in told]
    assert [None, b"20", None] == [one.get(f"{ERRORS}last-offset") for one in told]
    assert (b"key", b"value", b"1") == (outputs[0].key, outputs[0].value, told[0]["mine"])
    assert b"the batch" == outputs[1].value
    assert 1 == house.metrics.dead.labels("web", "unreadable")._value.get()


def test_of_large_events_few_are_on_their_way_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    most = 0

    async def send(_producer: object, targets: Targets, _limit: int) -> None:
        nonlocal most
        size = sum(len(one.value or b"") for outputs in targets.values() for one in outputs)
        sent.append(size)
        most = max(most, sum(sent))
        await asyncio.sleep(0.1)
        sent.remove(size)

    monkeypatch.setattr(intake, "send_all", send)
    house.intake._producer = cast("Any", object())
    records = [record("cx.web.events.v1", 2, n, bytes(250_000), timestamp=NOW) for n in range(200)]
    done: list[str] = []
    asyncio.run(house.intake.take([Batch("cx.web.events.v1", 2, records, 0, 200, lambda: done.append("done"))]))
    assert ["done"] == done
    assert intake.PART_BYTES < most <= intake.UNDER_WAY_BYTES + intake.PART_BYTES
