"""Topics to databases. A sink is ``add()`` and ``flush()``, idempotent, with its offsets in the same transaction.

May import ``core`` and ``schemas``; is imported by ``cli``.
"""
