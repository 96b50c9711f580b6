"""What every process of the bus has, whatever it does: an end in time, its own time, a log. Imports no other room."""
