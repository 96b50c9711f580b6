"""The ``cxbus`` command, a thin layer. May import every other folder; no other folder imports it."""
