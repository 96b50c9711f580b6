"""All that touches the private parts of aiokafka: how it fetches, joins a request, ends a consumer, fills a batch.

``tests/unit/engine/test_privates.py`` fails when a version of aiokafka has changed any of them.
"""
