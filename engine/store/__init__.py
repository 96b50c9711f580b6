"""The state of one partition on the local disk: a cache of public topics. Imported by whoever owns the partition."""
