"""Whole programs that do cxbus's work with other libraries, to be measured beside it.

Nothing here imports cxbus: a peer is what somebody else would have written. ``domain`` is the business that the Python
ones share.
"""
