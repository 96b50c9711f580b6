"""The oracle: what must stand on the bus's topics, worked out again from ``docs/semantics.md`` alone.

Slow and plain on purpose. It reads the departments' topics, the links log and the journal, and shares no code with the
rooms that it judges (``test_independence.py``); only the contracts of ``schemas`` are taken as they are.
"""
