"""``cxbus demo``: a business day of a small lamp shop, played on the real bus and compared with a manifest.

``story`` has the events that departments publish, ``manifest`` the expected outcome; both are pure. ``observed`` folds
the records of the topics, ``kafka_io`` publishes and reads, ``narrator`` prints the story, ``play`` runs it,
``performance`` starts and stops the bus around it, and ``command`` is the command.
"""
