"""Exactly once for Faust: one transaction for each batch and what follows from it. It knows nothing of customers.

From below: ``kafka`` reads and checks, without Faust; ``store`` keeps a partition's state; ``transactional`` owns a
partition and commits; ``faust`` brings the batches. Each imports those before it only.
"""
