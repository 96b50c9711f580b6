"""What the bus can do, in figures: each module prints a line for people and one of JSON for machines."""
