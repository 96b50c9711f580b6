"""Bugs that are planted on purpose, one at a time, to see which check catches each: one that nothing catches means a
missing test. ``python -m tests.planted`` runs them all; the data stand in ``bugs``, the checks in ``checks``.
"""
