"""Transactional ownership of a partition: fence, restore, commit outputs and input offset in one transaction."""
