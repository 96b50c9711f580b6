"""``cxbus demo``: a business day of a small lamp shop, played on the real bus and held against a hand-written manifest.

``story`` says what the departments publish and ``manifest`` what must come of it; both are pure. ``observed`` folds
what the topics say, ``kafka_io`` is the way to and from Kafka, ``narrator`` puts it into words, ``play`` runs it all in
one sentence, and ``command`` is the command.
"""
