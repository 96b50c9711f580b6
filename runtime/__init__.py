"""What every process of the bus has: settings, an end in time, its own time, a log, ops pages.

Knows no process; its settings know contracts and the core.
"""
