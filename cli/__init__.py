"""The ``cxbus`` command: thin. May import every room, is imported by nobody."""
