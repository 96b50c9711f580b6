"""The contracts: CloudEvents envelope, one module per department, the bus's own outputs, the codec.

Self-contained (relative imports and pydantic only), so that the folder can also ship in a client package.
"""
