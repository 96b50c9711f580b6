"""A customer's timeline: the entry, what an event type means, and the state after each instant."""
