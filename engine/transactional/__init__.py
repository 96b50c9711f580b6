"""One owner for each partition: it fences, restores, and commits inputs and outputs in one transaction."""
