"""The types of identifiers, and which type another name or spelling means."""

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
"""Least ratio of difflib for a near name: ``custmer_no`` is near, ``partner_no`` is not."""


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_MEANT = {_plain(name): name for name in RANKS} | {
    other: name for name, others in _OTHER_NAMES.items() for other in others.split()
}


def another_name_of(name: str) -> str | None:
    """The built-in type that ``name`` is another name or spelling of; ``None`` if there is none, or it is that type
    itself.
    """
    meant = _MEANT.get(_plain(name))
    return None if meant == name else meant


def meant_by(name: str, own: Iterable[str]) -> str | None:
    """The built-in type, or one of the company's ``own``, that somebody who writes ``name`` probably means."""
    known = {**_MEANT, **{_plain(one): one for one in own}}
    near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=_NEAR)
    return known[near[0]] if near else None
