"""What a customer's entries say: the entry, what an event type means, and what is known after each instant."""
