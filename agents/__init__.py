"""The Faust application: ``app`` wires settings, topics, metrics and the three agents together.

May import ``core``, ``schemas`` and ``engine``; is imported by ``cli``.
"""
