"""The conditions of rules, one file each: how it is written, how it is evaluated, which features it needs.

A new condition is a file here and a line in ``kinds``.
"""
