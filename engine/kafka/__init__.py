"""Kafka as everybody here reads it: records, batches, marks, clusters, readers.

Without Faust, so that sinks and the command line may import it.
"""
