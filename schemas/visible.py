"""Whether a person can see a text at all. An invisible id is a mistake, which the next event would make with the same
id.
"""

from __future__ import annotations

from pydantic_core import SchemaValidator, ValidationError, core_schema

VISIBLE = r"[^\p{Z}\p{Cc}\p{Cf}\p{Mn}\p{Me}\u115f\u1160\u2800\u3164\uffa0]"
"""Finds a character that is drawn: no blank, no control or joining character, no combining mark, no letter that is
drawn as nothing. A pattern for pydantic and JSON Schema; Python's own ``re`` does not know it.
"""

_validate = SchemaValidator(core_schema.str_schema(pattern=VISIBLE)).validate_python


def is_visible(text: str) -> bool:
    """Whether at least one character of ``text`` is drawn."""
    try:
        _validate(text)
    except ValidationError:
        return False
    return True
