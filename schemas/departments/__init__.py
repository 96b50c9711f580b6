"""One module per department, found automatically: add a file with a constant ``DEPARTMENT`` and the bus uses it."""
