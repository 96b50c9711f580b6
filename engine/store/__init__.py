"""The local state of one partition on disk: a cache of public topics. Imported by the owners of partitions."""
