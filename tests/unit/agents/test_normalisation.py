"""Normalisation: different spellings of one thing are one node; what identifies nobody is dropped, and why is said."""

from __future__ import annotations

import pytest

from agents.dropped import Dropped, Nobody
from agents.identifiers import Identifiers
from agents.normalisation import VERSION, Identifier

from .bench import IDENTIFIERS as IDS
from .bench import KEY, NORMALISATION


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
        ("email", "ada(at)example.com", "not an e-mail address"),
        ("phone", "call me", "not a telephone number"),
        ("phone", "+1 555 555 5555", "not a valid telephone number"),
        ("social", "ada", "not a network:handle, such as mastodon:ada"),
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
    assert Nobody("phone", "not a telephone number") == NORMALISATION.identifier("phone", number)


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
