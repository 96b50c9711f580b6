"""What a rule can say about a customer. A file for each condition: how it is written, what it answers, what it needs.

A new condition is a file here and a line in ``kinds``.
"""
