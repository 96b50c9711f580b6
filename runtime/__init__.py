"""What every process of the bus has: settings, a bounded shutdown, its own time, a log, ops pages.

It knows none of these processes; only its settings import contracts and the core.
"""
