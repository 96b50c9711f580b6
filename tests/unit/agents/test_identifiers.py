"""Identifiers: different spellings of one thing are one node; what identifies nobody is dropped, and why is said."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.dropped import Dropped, Nobody, refusal
from agents.identifiers import Identifiers
from agents.normalisation import VERSION, Identifier, Normalisation
from agents.short_cache import CACHED, ShortCache
from tests.oracle import identifiers as oracle
from tests.oracle.worlds import EXAMPLES, SAME_WORLDS

KEY = b"a key for tests only"
IDS = Identifiers(KEY, region="GB")
NORMALISATION = Normalisation("GB")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ada@Example.com", " ada@example.COM "),
        ("email", "mailto:Ada@example.com?subject=Lamp", "ada@example.com"),
        ("email", "mailto:ada%2Bshop@example.com", "ada+shop@example.com"),
        ("email", '"Ada, Countess" <ada@example.com>', "<MAILTO:ada@example.com>"),
        ("email", "ada@example.com\u200b", "\ufeffada@example.com\u00a0"),
        ("phone", "+44 20 7946 0018", "020 7946 0018"),
        ("phone", "0044 20 79460018", "(020) 7946-0018"),
        ("phone", "+33\u202f1\u202f99\u202f00\u202f12\u202f34", "+33199001234"),
        ("phone", "\u202a+44 20 7946 0018\u202c", "tel:+442079460018"),
        ("phone", "+44 20 7946 0018 ext. 12", "+442079460018;ext=12"),
        ("phone", "020 7946 0018 x12", "+44 20 7946 0018 extension 12"),
        ("customer_no", "c-1042", "C-1042"),
        ("customer_no", "C\u00ad-1042\u2007", "C-1042"),
        ("social", "Mastodon:@Ada", "mastodon:ada"),
        ("social", "mastodon : ada", "mastodon:ada"),
        ("login", "ADA", "ada"),
        ("login", "Zoe\u0308", "ZO\u00cb"),
        ("Email", "ada@example.com", "ada@example.com"),
    ],
)
def test_two_spellings_are_one_node(kind: str, one: str, other: str) -> None:
    first = IDS.of([(kind, one)])
    assert first == IDS.of([(kind.lower(), other)])
    assert 1 == len(first.nodes)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "+1 415 555 2671 ext. 101", "+1 415 555 2671 ext. 102"),
        ("phone", "+1 415 555 2671 x101", "+1 415 555 2671"),
        ("phone", "+1 415 555 2671;ext=12", "+1 415 555 2671;ext=012"),
        ("phone", "+1 415 555 2671/x101", "+1 415 555 2671"),
        ("phone", "+1 415 555 2671 / x101", "+1 415 555 2671/X102"),
        ("phone", "+1 415 555 2671\\x101", "+1 415 555 2671"),
    ],
)
def test_an_extension_belongs_to_the_number(kind: str, one: str, other: str) -> None:
    assert IDS.hash(kind, one) != IDS.hash(kind, other)
    assert Identifier(4, "phone", "+442079460018;ext=12") == NORMALISATION.identifier("phone", "020 7946 0018 x12")


@pytest.mark.parametrize(
    "number", ["+1 555 555 5555", "555-2671", "+49 1111111111", "+1 234 567 8901", "12", "call me"]
)
def test_only_valid_numbers_identify(number: str) -> None:
    assert () == Identifiers(KEY, region="US").of([("phone", number)]).nodes


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "-",
            "?",
            "...",
            "{}",
            "[]",
            '""',
            "\u200b",
            "\u202a\u202c",
            "null",
            '"null"',
            "(null)",
            "<nil>",
            "<NA>",
        ),
        *(
            "NULL",
            "None",
            "NaN",
            "nan",
            "-nan",
            "#N/A",
            "#REF!",
            "#DIV/0!",
            "n.a.",
            "N/A",
            "n / a",
            "undefined",
            "true",
        ),
        *(
            "[object Object]",
            "[object Undefined]",
            "Invalid Date",
            "anonymousId",
            "distinct_id",
            "CUSTOMER_NO",
            "email",
        ),
        *("unknown", "unbekannt", "k.A.", "nicht vorhanden", "inconnu", "non renseigné", "desconocido", "anónimo"),
        *(
            "não informado",
            "onbekend",
            "n.v.t.",
            "brak",
            "gość",
            "okänd",
            "неизвестно",
            "未知",
            "不明",
            "ゲスト",
            "없음",
        ),
        *("TEST", "dummy", "WALK-IN", "walk-in customer", "Laufkunde", "consumidor final", "guest", "(not set)", "xxx"),
        *("0", "000000", "0-0.0 0", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        *("\\N", "Not Found", "暂无", "please select"),
        *("-1", "-999", "1111111", "999-999-999", "123456", "123456789", "1234567890", "987654321", "XXXXXXXX"),
        *("{{email}}", "{{ customer.id }}", "${CUSTOMER_NO}", "%EMAIL%", "%%email%%", "*|EMAIL|*", "<%= id %>", "{id}"),
        *("[[email]]", "[EMAIL]", "<your email>", "__ID__", "$customer_no", "#{id}", "##EMAIL##", "%s", "%(id)s"),
        *("%!s(<nil>)", "{% customer %}", "\ud800", "a\x00b", "a\nb"),
    ],
)
def test_what_systems_write_when_they_know_nobody_identifies_nobody(value: str) -> None:
    for kind in ("customer_no", "debtor_no", "login", "device", "email", "phone", "social"):
        for sent in (value, f" {value}\u200b"):
            assert isinstance(NORMALISATION.identifier(kind, sent), Nobody), kind
    assert isinstance(NORMALISATION.identifier("social", f"mastodon:@{value}"), Nobody)


@pytest.mark.parametrize(
    "address",
    [
        *("noreply@shop.com", "No-Reply+order-7@shop.com", "none@none.com", "none@example.com", "na@na.com"),
        *("keine@example.de", "Nicht.Antworten@example.de", "test@test.de", "{{email}}@example.com", "mailto:", "<>"),
        *(
            "not an address",
            "a@b@c",
            "Ada <ada@example.com>, Bob <bob@example.com>",
            "ada@example.com, bob@example.com",
        ),
    ],
)
def test_addresses_of_nobody_identify_nobody(address: str) -> None:
    assert isinstance(NORMALISATION.identifier("email", address), Nobody)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(
            ("customer_no", value)
            for value in ("1", "1111", "12345", "99999", "C-111111", "1112222", "123457", "K00001")
        ),
        *(("device", value) for value in ("{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "GA1.2.3", "a|b", "d")),
        *(("login", value) for value in ("nancy", "testa", "admin", "ada%shop", "guestbook", "zero0")),
        *(("email", f"{local}@example.com") for local in ("info", "nan", "na", "sales", "noreply.ada", "testa", "ka")),
        *(("social", value) for value in ("mastodon:nulla", "x:ada_", "instagram:__sarah__", "cashapp:$ada")),
        *(("email", value) for value in ("nat@mail.example", "mail@gast.example", "{{name}} <ada@example.com>")),
        ("login", "__sarah__"),
    ],
)
def test_what_real_people_have_identifies_them(kind: str, value: str) -> None:
    assert isinstance(NORMALISATION.identifier(kind, value), Identifier)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("customer_no", "null", "a placeholder"),
        ("customer_no", " \u200b", "empty"),
        ("login", "a\x07b", "text with characters that can't be printed"),
        ("login", "${user}", "a template that nobody filled in"),
        ("email", "noreply@shop.com", "a mailbox that nobody reads"),
        ("email", "ada(at)example.com", "no e-mail address"),
        ("phone", "call me", "no telephone number"),
        ("phone", "+1 555 555 5555", "no valid telephone number"),
        ("social", "ada", "no network:handle, such as mastodon:ada"),
    ],
)
def test_why_one_was_dropped_is_said(kind: str, value: str, why: str) -> None:
    assert (Dropped(0, Nobody(kind, why)),) == IDS.of([(kind, value)]).dropped


def test_a_national_number_needs_a_region() -> None:
    (dropped,) = Identifiers(KEY).of([("phone", "020 7946 0018")]).dropped
    assert "a number without a country: write +44 …, or set CXBUS_PHONE_REGION" == dropped.nobody.why


@pytest.mark.parametrize(
    "number", ["+1 415 555 2671;isub=7", "+1 415 555 2671;ISUB=7;ext=101", "+1 415 555 2671" + "," * 60]
)
def test_what_the_parser_would_leave_out_or_take_long_for_is_no_number(number: str) -> None:
    assert Nobody("phone", "no telephone number") == NORMALISATION.identifier("phone", number)


def test_blanks_are_read_as_one() -> None:
    assert IDS.hash("phone", "+44 20 7946 0018") == IDS.hash("phone", f"+44 20{' ' * 116}7946 0018")


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("customer_no", " c-1042 ", "C-1042"),
        ("debtor_no", "d1\u0308", "D1\u0308"),
        ("login", "Ada@Example.com", "ada@example.com"),
        ("login", "\u03ca\u0301", "\u0390"),
        ("email", "Ada <Ada+Shop@B\u00fccher.example>", "ada+shop@b\u00fccher.example"),
        ("email", "{{name}} <ada@example.com>", "ada@example.com"),
        ("phone", "020 7946 0018 / x12", "+442079460018;ext=12"),
        ("social", "Mastodon:@Ada", "mastodon:ada"),
        ("device", " Abx9 ", "Abx9"),
    ],
)
def test_version_2_of_the_normalisation_gives_these_values(kind: str, sent: str, value: str) -> None:
    """Whoever changes one of them changes who is known: ``VERSION`` counts up, and this test with it."""
    assert 2 == VERSION
    found = NORMALISATION.identifier(kind, sent)
    assert isinstance(found, Identifier)
    assert value == found.value


def test_the_strongest_comes_first_and_copies_count_once() -> None:
    found = IDS.of(
        [("device", "d1"), ("email", "Ada@example.com"), ("customer_no", "C-1"), ("email", "ada@example.com")]
    )
    assert ["customer_no", "email", "device"] == [node.type for node in found.nodes]
    assert () == found.dropped


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        *(("e-mail", "email"), ("Mail", "email"), ("email ", "email"), ("e\u200bmail", "email"), ("emial", "email")),
        *(
            ("customer_id", "customer_no"),
            ("customerNumber", "customer_no"),
            ("phone_number", "phone"),
            ("tel", "phone"),
        ),
        *(("loyalty-no", "loyalty_no"), ("loyalty_nr", "loyalty_no"), ("cookie", "device"), ("user name", "login")),
    ],
)
def test_of_a_type_that_is_nearly_ours_is_said_which_one_is_meant(kind: str, meant: str) -> None:
    judged = Normalisation(types=["loyalty_no"]).judge([("email", "ada@example.com"), (kind, "ada@example.com")])
    dead = refusal(*judged)
    assert dead is not None
    assert "invalid-data" == dead.reason
    assert "data.customer.identifiers[1].type is " in dead.message
    assert f'did you mean "{meant}"?' in dead.message


def test_another_type_is_refused_without_a_word_of_what_it_was() -> None:
    dead = refusal(*Normalisation(types=["loyalty_no"]).judge([("Ada Lovelace", "x")]))
    assert dead is not None
    assert "data.customer.identifiers[0].type is no type of identifier; expected customer_no" in dead.message
    assert "loyalty_no" in dead.message
    assert "ada" not in dead.message.lower()


def test_a_company_has_types_of_its_own_behind_the_others() -> None:
    ids = Identifiers(KEY, types=["loyalty_no", "badge"])
    found = ids.of([("loyalty_no", "L-1"), ("badge", "B1"), ("device", "d1")])
    assert ["device", "badge", "loyalty_no"] == [node.type for node in found.nodes]


def test_who_is_nobody_is_told_by_place_type_and_reason_and_never_by_value() -> None:
    many = [("login", f"{{{{user{number}}}}}") for number in range(9)]
    dead = refusal(*NORMALISATION.judge([("customer_no", "nan"), ("phone", "+1 555 555 5555"), *many]))
    assert dead is not None
    assert "no-identifier" == dead.reason
    assert (
        "none of data.customer.identifiers identifies anybody: [0] (customer_no) is a placeholder, "
        "[1] (phone) is no valid telephone number, [2] (login) is a template that nobody filled in, "
    ) in dead.message
    assert "and 6 more; send at least one that does." in dead.message
    assert "555" not in dead.message
    assert refusal(*NORMALISATION.judge([("customer_no", "nan"), ("email", "ada@example.com")])) is None


def test_hashes_depend_on_the_key_and_show_nothing() -> None:
    other = Identifiers(b"another key for tests")
    assert IDS.hash("email", "ada@example.com") != other.hash("email", "ada@example.com")
    assert "ada" not in str(IDS.of([("email", "ada@example.com")]).nodes)
    assert IDS.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("entry", "blocked", "not_blocked"),
    [
        ("+442079460000", ("phone", "020 7946 0000"), ("phone", "020 7946 0001")),
        ("020 7946 0000", ("phone", "+44 20 7946 0000"), ("phone", "020 7946 0000 x12")),
        ("phone:+44 20 7946 0000", ("phone", "(020) 79460000"), ("customer_no", "+442079460000")),
        ("email:*@Shop.example.com", ("email", "Ada <ada@shop.example.com>"), ("login", "ada@shop.example.com")),
        ("X-99*", ("customer_no", "x-991"), ("customer_no", "x-98")),
        ("x-99*", ("device", "X-99"), ("device", "0X-99")),
        ("*test*", ("login", "load-TEST-7"), ("login", "tset")),
        ("customer_no:9999", ("customer_no", "9999"), ("debtor_no", "9999")),
        ("mastodon:shop", ("social", "Mastodon:@shop"), ("social", "mastodon:shopper")),
        ("loyalty_no:L.1", ("loyalty_no", "l.1"), ("loyalty_no", "L-1")),
    ],
)
def test_a_company_blocks_values_and_patterns_of_a_type_or_of_any(
    entry: str, blocked: tuple[str, str], not_blocked: tuple[str, str]
) -> None:
    ids = Identifiers(KEY, "GB", [entry, "never*seen"], ["loyalty_no"])
    (dropped,) = ids.of([blocked]).dropped
    assert "blocked by CXBUS_BLOCKED_IDENTIFIERS" == dropped.nobody.why
    assert () == ids.of([not_blocked]).dropped


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Identifiers(b"short")


def test_masks_can_be_recognised_but_not_used_and_those_that_look_alike_differ() -> None:
    def masked(kind: str, value: str) -> str:
        ((_, shown),) = IDS.of([(kind, value)]).masked_identifiers
        return shown

    assert masked("email", "ada@example.com").startswith("a…@example.com#")
    assert masked("phone", "020 7946 0018").startswith("+4…18#")
    assert masked("customer_no", "C1").startswith("…1#")
    assert 3 == len({masked("email", f"{name}@example.com") for name in ("ada", "ann", "al")})
    assert masked("email", "ada@example.com") == masked("email", "Ada@Example.com")
    (other,) = Identifiers(b"another key for tests").of([("email", "ada@example.com")]).masked_identifiers
    assert masked("email", "ada@example.com") != other[1]


PARTS = [
    *(
        "null",
        "NaN",
        "n/a",
        "TEST",
        "guest",
        "unbekannt",
        "0",
        "00",
        "1",
        "11",
        "123",
        "456",
        "789",
        "-",
        "_",
        ".",
        " ",
    ),
    *(
        "@",
        "example.com",
        "none",
        "noreply",
        "ada",
        "Zoe\u0308",
        "+",
        "+44 20 7946 0018",
        "020 7946",
        "0018",
        " ext. 12",
    ),
    *("+1 415 555 2671", ";ext=7", "{{", "}}", "${", "%", "*|", "<", ">", "[", "]", "mailto:", "mastodon:", "social:"),
    *(
        "\u202f",
        "\u202a",
        "\u202c",
        "\u200b",
        "\ufeff",
        "\u00ad",
        "\u3000",
        "\ufe0f",
        "é",
        "\uff11",
        "ß",
        "İ",
        "\x00",
        "\ud800",
    ),
]
values = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=5).map("".join),
    st.text(max_size=8),
    st.from_regex(r"[0-9]{5,22}", fullmatch=True),
)
types = st.sampled_from([*oracle.RANKS, "Email", "e-mail", "loyalty_no"])


@given(st.lists(st.tuples(types, values), min_size=1, max_size=4), st.sampled_from([None, "GB", "US"]))
@settings(max_examples=7 * EXAMPLES, derandomize=SAME_WORLDS, deadline=None)
def test_the_bus_and_the_oracle_agree_on_who_is_meant(pairs: list[tuple[str, str]], region: str | None) -> None:
    sent = {"customer": {"identifiers": [{"type": kind, "value": value} for kind, value in pairs]}}
    wanted = oracle.identifiers(sent, region)
    ids, key = Identifiers(KEY, region), oracle.Key(KEY)
    found = ids.of(pairs)
    assert oracle.nodes(wanted, key) == [(node.type, node.hash) for node in found.nodes]
    assert [key.mask(one) for one in wanted] == [
        {"type": kind, "value": shown} for kind, shown in found.masked_identifiers
    ]
    identifying = [place for place, pair in enumerate(pairs) if oracle.identifier(*pair, region) is not None]
    assert sorted({*range(len(pairs))} - {*identifying}) == [one.place for one in found.dropped]


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ([("login", "ada")], True),
        ([("login", "a" * 251)], True),
        ([("login", "a" * 252)], False),
        ([("login", f"ada{number}") for number in range(4)], True),
        ([("login", f"ada{number}") for number in range(5)], False),
        ([("login", "a" * 122), ("email", "b" * 50 + "@example.com" + " " * 67)], False),
    ],
)
def test_only_what_is_short_is_kept_and_all_is_answered_alike(pairs: list[tuple[str, str]], kept: bool) -> None:
    some = Identifiers(KEY, region="GB")
    first, again = some.shown[tuple(pairs)], some.shown[tuple(pairs)]
    assert first == again
    assert kept == (first is again)
    assert (some.of(pairs).masked_identifiers, [{"type": kind, "value": value} for kind, value in pairs]) == (
        first[0],
        orjson.loads(first[1]),
    )


def test_a_full_cache_begins_anew() -> None:
    cache: ShortCache[int] = ShortCache(len)
    for number in range(CACHED + 1):
        assert 1 == cache[(("login", str(number)),)]
    assert 1 == len(cache)
