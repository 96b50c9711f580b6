"""The project as others install it."""
