"""The bus in SQL tables: ``model`` has them, ``rows`` reads records, ``sink`` writes, ``reader`` answers questions.

Everything but ``sqlite`` is the same for every database that SQLAlchemy speaks to and that has ``ON CONFLICT``.
"""
