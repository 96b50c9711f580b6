"""Quix Streams, exactly-once: records are checked, routed by customer, and applied with state."""
