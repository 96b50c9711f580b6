"""A value that too many strangers share: blocked in the resolver's transaction, heard of by every intake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from agents.directory import Directory
from agents.identity_records import identity_form
from agents.resolver import Resolver
from engine.transactional.transaction import Output
from engine.transactional.unit import decided
from schemas.topics import DEAD, IDENTITIES, JOURNAL, LINKS

from .bench import IDENTIFIERS, MARK, PARTITIONS, record
from .test_intake import NOW, House, seen

INFO = ("email", "info@example.com")
SINCE = "2026-11-18T"  # of NOW


def number(of: int) -> tuple[str, str]:
    return "customer_no", f"C-{of}"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, links_a_day=2)
    yield made
    made.pipeline.close()


def blow(house: House, *, learn: bool = True) -> list[Output]:
    """Three people come with one e-mail, of whom two may; what became of their events."""
    return [one for of in range(3) for one in house.resolve(house.publish(seen(number(of), INFO)), learn=learn)]


def reason(output: Output) -> tuple[str, str, str]:
    headers = dict(output.headers)
    return output.topic, headers["__cxbus.errors.exception"].decode(), headers["__cxbus.errors.stage"].decode()


def test_the_one_too_many_is_a_customer_of_their_own_and_those_before_stay_one(house: House) -> None:
    first, second, third = blow(house)
    assert [JOURNAL] * 3 == [one.topic for one in (first, second, third)]
    assert first.key == second.key != third.key
    assert third.key == house.publish(seen(number(2), INFO, number=9)).key, "a known customer takes the short way"
    assert first.key == house.publish(seen(number(1), number=9)).key


def test_an_event_of_a_blocked_value_alone_is_a_letter_of_intake_that_says_which_and_since_when(house: House) -> None:
    blow(house)
    letter = house.publish(seen(INFO))
    assert (DEAD, "no-identifier", "intake") == reason(letter)
    message = dict(letter.headers)["__cxbus.errors.message"].decode()
    assert f"email (since {SINCE}" in message
    assert "send an identifier that belongs to this customer alone" in message
    assert "example.com" not in message


def test_where_the_directory_lags_the_resolver_decides_alike(house: House) -> None:
    _, _, third = blow(house, learn=False)
    (own,) = house.resolve(house.publish(seen(INFO, ("phone", "020 7946 0018"))), learn=False)
    assert own.key not in (None, third.key)
    (letter,) = house.resolve(house.publish(seen(INFO)), learn=False)
    assert (DEAD, "no-identifier", "resolver") == reason(letter)
    assert f"email (since {SINCE}" in dict(letter.headers)["__cxbus.errors.message"].decode()
    house.directory.learn([record(IDENTITIES, 0, 0, one.value, one.key) for one in house.identities])
    assert own.key == house.publish(seen(INFO, ("phone", "020 7946 0018"), number=1)).key


def test_a_directory_that_has_cached_a_value_hears_that_it_is_blocked(house: House) -> None:
    (first,) = house.resolve(house.publish(seen(INFO)))
    assert first.key == house.publish(seen(INFO)).key, "the short way"
    blow(house)
    assert DEAD == house.publish(seen(INFO)).topic


def test_count_and_block_are_read_back_by_a_resolver_whatever_it_is_set_to(house: House, tmp_path: Path) -> None:
    first, *_ = blow(house)
    (team,) = house.resolve(house.publish(seen(number(7), ("login", "team"))))
    house.resolve(house.publish(seen(number(8), ("login", "team"))))
    assert all(identity_form(one.key, one.value) for one in house.identities)
    again = Resolver(0, PARTITIONS, IDENTIFIERS, tmp_path / "again", house.metrics, links_a_day=3)
    again.restore([record(IDENTITIES, 0, n, one.value, one.key) for n, one in enumerate(house.identities)])
    again.opened(MARK)
    told = []
    for offset, of in enumerate([("login", "team"), ("login", "team"), INFO]):
        link = house.publish(seen(number(20 + offset), of))
        outputs = decided(again, [record(LINKS, 0, 50 + offset, link.value, None, link.headers, NOW)])
        told += [one.key for one in outputs if one.topic == JOURNAL]
        again.committed(MARK)
    third, fourth, stranger = told
    assert third == team.key != fourth, "counted on from two: of a limit of three the third is the last"
    assert stranger not in (first.key, third, fourth), "a block stands"
    again.close()


def test_the_directory_lists_what_is_blocked_also_after_a_warm_start(house: House) -> None:
    assert (0, ()) == (house.directory.blocked.count, house.directory.blocked.latest)
    first, *_ = blow(house)
    house.directory.learn([record(IDENTITIES, 0, n, one.value, one.key) for n, one in enumerate(house.identities)])
    assert first.key is not None
    for directory in (house.directory, Directory("", IDENTIFIERS, _closed(house))):
        said = orjson.loads(directory.blocked.page())
        (one,) = said["latest"]
        assert (1, "email", first.key.decode()) == (said["count"], one["type"], one["customerId"])
        assert one["since"].startswith(SINCE)
        assert one["key"].encode() in {made.key for made in house.identities}
        directory.close()


def _closed(house: House) -> Path:
    house.directory.learn([], MARK)
    house.directory.close()
    return house.home / "directory"


@pytest.mark.parametrize(
    "forged",
    [
        {"links": 7},
        {"links": ["soon"]},
        {"links": [-1]},
        {"links": [True]},
        {"links": [1] * 1_001},
        {"blocked": None},
        {"blocked": "now"},
        {"blocked": 10**18},
        {"blocked": 1.5},
    ],
)
def test_a_forged_count_or_block_is_not_of_our_form(forged: dict[str, object]) -> None:
    plain = {"id": "c_1", "type": "email"}
    key = b"i/" + b"0" * 32
    assert identity_form(key, orjson.dumps({**plain, "links": [1, 2]}))
    assert identity_form(key, orjson.dumps({**plain, "blocked": 1}))
    assert not identity_form(key, orjson.dumps({**plain, **forged}))
