"""One module per department, found by itself: add a file with a constant ``DEPARTMENT`` and the bus knows it."""
