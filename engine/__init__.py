"""What makes Faust fast and exact: batch delivery, unit of work, state store, restore. Knows nothing of customers.

Imported by ``agents`` only.
"""
