"""Exactly once for Faust: one transaction for each unit of work, with its outputs and progress. Knows nothing of
customers.

From the bottom up: ``kafka`` reads and checks, without Faust; ``store`` keeps a partition's state; ``transactional``
owns a partition and commits; ``faust`` delivers the batches. Each imports only those before it.
"""
