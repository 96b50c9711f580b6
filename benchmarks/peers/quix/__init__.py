"""Quix Streams, exactly-once: one StreamingDataFrame that is checked, grouped by customer, and applied with state."""
