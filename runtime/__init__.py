"""What every process of the bus has: an end in time, its own time, a log, ops pages. Imports no other room."""
