"""The Kafka layer that all of the bus shares: records, batches, checkpoints, clusters, readers.

Without Faust, so that sinks and the command line may import it.
"""
