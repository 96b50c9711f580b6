"""The Faust application: ``app`` wires topics, metrics and the three agents together.

May import ``core``, ``schemas``, ``runtime`` and ``engine``; is imported by ``cli``.
"""
