"""Rules as data: what each asks, and what an event means for all that are in force."""
