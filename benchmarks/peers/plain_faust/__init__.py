"""Plain Faust: two agents, event by event, and Tables."""
