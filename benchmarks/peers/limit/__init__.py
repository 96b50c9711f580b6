"""The limit: reading and decoding with bare aiokafka, nothing else."""
