"""Pure decisions about customers: events, timeline, rules, alerts, identity.

No I/O, no clock, no logging; ``now`` is an argument. Every package may import it; it imports only the standard library
and the structs of msgspec.
"""
