"""All access to the private parts of aiokafka: how it fetches, encodes a request, stops a consumer, fills a batch.

``tests/unit/engine/test_privates.py`` fails when a version of aiokafka has changed any of them.
"""
