"""Topics to databases. A sink is ``add()`` and ``flush()``, idempotent, with its offsets in the same transaction.

``base`` is the port, ``sql`` writes to and reads from SQL databases, ``runner`` feeds a sink from Kafka, which it knows
through ``reading`` and ``cluster``.
May import ``core``, ``schemas``, ``runtime`` and ``engine.kafka``; is imported by ``cli``.
"""
