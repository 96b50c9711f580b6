"""The list of currencies against the one that comes with babel."""

from __future__ import annotations

from datetime import date

from babel import Locale
from babel.numbers import get_territory_currencies, list_currencies

from schemas.currency import CODES


def test_every_currency_in_use_since_2020_is_known() -> None:
    territories = [str(name) for name in Locale("en").territories if len(str(name)) == 2]
    used = {
        code
        for day in (date(2020, 1, 1), date(2026, 11, 1))
        for territory in territories
        for code in get_territory_currencies(territory, start_date=day)
    }
    assert set() == used - CODES


def test_no_code_is_invented() -> None:
    assert set() == CODES - set(list_currencies())
