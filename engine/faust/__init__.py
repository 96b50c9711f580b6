"""The worker: Faust with its own transport, which fetches records, delivers them in batches and supervises them."""
