"""Bugs that are planted on purpose, one at a time, to see which check catches each: one that nothing catches means a
missing test.

``python -m tests.planted`` runs them all, in a copy of the project; the data stand in ``bugs``, by room, the checks in
``checks``. A new bug is one more entry there: what it means, the text it replaces, who should notice. When the source
changes, ``test_planted`` names the bugs whose text is no longer there.
"""
