"""Whether a machine is fit for the bus."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.bus import Bus
from cli.doctor import identity, local, machine
from cli.doctor.finding import Finding, Verdict
from cli.doctor.identity import Fingerprints
from cli.doctor.machine import GIB, Folder, Rules, SettingsSource
from cli.given import Given

KNOWN = ("bootstrap", "partitions", "data_dir")


def test_settings_are_told_with_where_they_came_from_the_first_source_counts() -> None:
    sources = [
        SettingsSource("the command line", frozenset({"data_dir"})),
        SettingsSource(".env", frozenset({"data_dir", "partitions"})),
    ]
    (told,) = machine.settings(sources, KNOWN, [])
    assert "partitions from .env, data_dir from the command line; all else by default" == told.found


def test_without_any_setting_all_are_the_defaults() -> None:
    assert "all by default" == machine.settings([], KNOWN, [])[0].found


def test_a_name_that_is_no_setting_is_told_with_the_one_that_may_be_meant() -> None:
    _, told = machine.settings([SettingsSource(".env", frozenset({"boostrap", "cache"}))], KNOWN, [])
    assert (Verdict.WARNING, "CXBUS_BOOSTRAP in .env is not a setting, and is ignored") == (told.verdict, told.found)
    assert ("Did you mean CXBUS_BOOTSTRAP? Correct or remove it.",) == told.advice


def test_settings_are_looked_for_wherever_they_may_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CXBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXBUS_OPS_PORT", "1")
    (tmp_path / ".env").write_text("CXBUS_PARTITIONS=4\nHOME=/nowhere\n")
    (tmp_path / "cxbus.toml").write_text('app_id = "cxbus"\n')
    assert [
        SettingsSource("the command line", frozenset({"bootstrap"})),
        SettingsSource("the environment", frozenset({"ops_port"})),
        SettingsSource(".env", frozenset({"partitions"})),
        SettingsSource("cxbus.toml", frozenset({"app_id"})),
    ] == local.sources(Bus(Given(bootstrap="k:9092")))


def test_a_setting_that_is_refused_is_wrong() -> None:
    assert [(Verdict.WRONG, "it is missing")] == [
        (one.verdict, one.found) for one in machine.settings([], KNOWN, ["it is missing"])
    ]


@pytest.mark.parametrize(
    ("reason", "free", "verdict"),
    [
        ("", 2 * GIB, Verdict.OK),
        ("", 2 * GIB - 1, Verdict.WARNING),
        ("", GIB // 4 - 1, Verdict.WRONG),
        ("no right", 9 * GIB, Verdict.WRONG),
    ],
)
def test_the_data_directory_needs_room_and_the_right_to_write(reason: str, free: int, verdict: Verdict) -> None:
    assert verdict == machine.folder(Folder("d", reason, free)).verdict


def test_a_data_directory_that_is_not_made_yet_is_looked_for_above(tmp_path: Path) -> None:
    found = local.folder(tmp_path / "not" / "made")
    assert (str(tmp_path / "not" / "made"), "") == (found.path, found.reason)
    assert not (tmp_path / "not").exists()


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert f"{tmp_path / 'file'} is a file" == local.folder(tmp_path / "file" / "data").reason


def test_rules_that_can_t_be_used_are_wrong_and_so_is_none_at_all() -> None:
    assert Verdict.OK == machine.rules(Rules("r", 4, "abc", "")).verdict
    broken = machine.rules(Rules("r", 0, "abc", "a.yaml: is not YAML"))
    assert (Verdict.WRONG, "r: a.yaml: is not YAML") == (broken.verdict, broken.found)
    none = machine.rules(Rules("r", 0, "", "There is no folder r."))
    assert (Verdict.WRONG, "There is no folder r.") == (none.verdict, none.found)
    assert none.advice[0].startswith("Set CXBUS_RULES_DIR ")


@pytest.mark.parametrize(("newest", "verdict"), [(6_000, Verdict.OK), (6_001, Verdict.WARNING), (0, Verdict.OK)])
def test_a_record_of_the_future_tells_of_clocks_that_differ(newest: int, verdict: Verdict) -> None:
    assert verdict == machine.clock(1_000, {"t": newest}).verdict


def test_without_records_there_is_no_clock_to_compare() -> None:
    assert Verdict.OK == machine.clock(1_000, {}).verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Fingerprints("a", None), Verdict.OK),
        (Fingerprints(None, None), Verdict.OK),
        (Fingerprints("a", "a"), Verdict.OK),
        (Fingerprints("a", "b"), Verdict.WRONG),
        (Fingerprints(None, "b"), Verdict.WRONG),
        (Fingerprints("a", None, whole=False), Verdict.WARNING),
    ],
)
def test_the_key_must_be_the_one_of_the_identities_once_there_are_any(found: Fingerprints, verdict: Verdict) -> None:
    assert verdict == identity.judge(found, embedded=False).verdict


def test_a_lost_key_comes_back_from_where_it_is_kept() -> None:
    for embedded, words in ((True, "identity.key back from a backup"), (False, "CXBUS_IDENTITY_KEY to the key")):
        assert words in identity.judge(Fingerprints(None, "b"), embedded=embedded).advice[0]


@pytest.mark.parametrize(("verdict", "advice"), [(Verdict.OK, ("do it",)), (Verdict.WRONG, ()), (Verdict.WARNING, ())])
def test_nothing_that_is_ill_is_told_without_a_remedy(verdict: Verdict, advice: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a finding has advice unless its verdict is ok"):
        Finding("x", verdict, "y", advice)
