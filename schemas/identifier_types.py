"""The types of identifiers, and which one somebody means who writes another name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

RANKS = ("customer_no", "debtor_no", "login", "email", "phone", "social", "device")
"""Built-in types, strongest first; a company's own types come after them, by name."""

_OTHER_NAMES = {
    "customer_no": "customer customerid customernr customernumber custno custid kundennummer kundennr kdnr clientno",
    "debtor_no": "debtor debtorid debtornumber debitor debitorno debitornr debitorennummer",
    "login": "loginname loginid username",
    "email": "mail emailaddress mailaddress emailadresse",
    "phone": "phonenumber phoneno telephone telephonenumber tel telefon telefonnummer mobile mobilenumber msisdn",
    "social": "socialhandle socialmedia handle",
    "device": "deviceid cookie cookieid anonymousid",
}
_NEAR = 0.8
"""Of difflib's ratio: ``custmer_no`` is near, ``partner_no`` is not."""


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_MEANT = {_plain(name): name for name in RANKS} | {
    other: name for name, others in _OTHER_NAMES.items() for other in others.split()
}


def another_name_of(name: str) -> str | None:
    """The built-in type of which ``name`` is another name or another spelling; ``None`` when it is one itself."""
    meant = _MEANT.get(_plain(name))
    return None if meant == name else meant


def meant_by(name: str, own: Iterable[str]) -> str | None:
    """The type that somebody means who writes ``name``, of the built-in ones and the company's ``own``."""
    known = {**_MEANT, **{_plain(one): one for one in own}}
    near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=_NEAR)
    return known[near[0]] if near else None
