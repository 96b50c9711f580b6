"""Rules as data: what each asks, and what an event means to the rules in force."""
