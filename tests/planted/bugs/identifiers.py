"""Bugs of how identifiers are read, compared and dropped."""

from __future__ import annotations

from .. import checks
from ..bug import Bug

BUGS = (
    Bug(
        "extension-dropped",
        "Colleagues behind one switchboard are one person.",
        "agents/normalisation.py",
        'return f"{plain};ext={phonenumbers.normalize_digits_only(number.extension)}" if number.extension else plain',
        "return plain",
        (checks.EXTENSIONS, checks.WHO_IS_MEANT),
    ),
    Bug(
        "possible-numbers-identify",
        "A number that could exist identifies, such as seven digits without an area code.",
        "agents/normalisation.py",
        "if not phonenumbers.is_valid_number(number):",
        "if not phonenumbers.is_possible_number(number):",
        (checks.VALID_NUMBERS, checks.WHO_IS_MEANT),
    ),
    Bug(
        "normalisation-not-checked",
        "A worker goes on with identities whose values were written otherwise: nobody is known again.",
        "agents/key_record.py",
        "if (made := normalisation_of(value)) != VERSION:",
        "if (made := normalisation_of(value)) > VERSION:",
        (checks.NORMALISATION,),
    ),
    Bug(
        "placeholders-with-signs-identify",
        "The kept list is compared with what was sent, signs and all: N/A is nobody, and n.a. is somebody.",
        "agents/placeholders.py",
        """\
        word = folded(value)
        if not""",
        """\
        word = value.lower()
        if not""",
        (checks.PLACEHOLDERS,),
    ),
    Bug(
        "templates-identify",
        "{{email}} is a customer.",
        "agents/placeholders.py",
        "if self._anywhere.search(value) or self._whole.fullmatch(value):",
        "if self._whole.fullmatch(value):",
        (checks.PLACEHOLDERS,),
    ),
    Bug(
        "counting-digits-identify",
        "123456789 is a customer.",
        "agents/placeholders.py",
        "return digits.isdecimal() and (digits in counting or digits[::-1] in counting)",
        "return False",
        (checks.PLACEHOLDERS,),
    ),
    Bug(
        "short-numbers-are-placeholders",
        "Customer 1111 is nobody.",
        "agents/placeholders.py",
        "LONG = 6\n",
        "LONG = 4\n",
        (checks.REAL_PEOPLE,),
    ),
    Bug(
        "noreply-identifies",
        "All who write from noreply@ are one customer.",
        "agents/placeholders.py",
        'if kind in ("email", "login") and "@" in value and self._is_nobodys(value):',
        "if False:",
        (checks.NOBODYS_ADDRESS,),
    ),
    Bug(
        "only-what-was-sent-is-blocked",
        "A blocked telephone number identifies in another spelling.",
        "agents/normalisation.py",
        "return [re.escape(one.casefold()) for one in (text, normal) if isinstance(one, str)]",
        "return [re.escape(one.casefold()) for one in (text,) if isinstance(one, str)]",
        (checks.COMPANY_BLOCKS,),
    ),
    Bug(
        "direction-marks-count",
        "A number that was pasted from a contact is another one, or none.",
        "agents/normalisation.py",
        'return unicodedata.normalize("NFC", _BLANKS.sub(" ", _IGNORED.sub("", text))).strip()',
        'return unicodedata.normalize("NFC", _BLANKS.sub(" ", text)).strip()',
        (checks.SPELLINGS,),
    ),
    Bug(
        "any-type-is-a-type",
        "An identifier of the misspelt type e-mail is dropped without a word.",
        "agents/dropped.py",
        "if nobody.type is None:",
        "if nobody.type is None and not kept:",
        (checks.TYPE_NAMES,),
    ),
    Bug(
        "masks-alike",
        "Three e-mail addresses of a wrong merge are shown as one.",
        "agents/identifiers.py",
        'return one.type, f"{shown}#{node_hash[:4]}"',
        "return one.type, shown",
        (checks.MASKS,),
    ),
    Bug(
        "send-knows-no-nobody",
        "`cxbus send` sends what intake will refuse.",
        "cli/send.py",
        "if (refused := refusal(kept, dropped)) is not None:",
        "if (refused := refusal(kept, ())) is not None:",
        (checks.SEND_JUDGES,),
    ),
)
