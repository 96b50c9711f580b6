"""Pure decisions about customers: events, timeline, rules, alerts, identity.

No I/O, no clock, no logging; ``now`` is an argument. May be imported by everyone, imports nobody but the standard
library and the structs of msgspec.
"""
