"""Pure decisions about customers: events, timeline, rules, alerts, identity.

No I/O, no clock, no logging, standard library only; ``now`` is an argument. May be imported by everyone,
imports nobody.
"""
