"""``cxbus doctor``: is everything here as the bus needs it, and if not, how is it mended?

``brokers``, ``topics``, ``transactions``, ``identity`` and ``machine`` judge what was found, each purely;
``remedy`` writes the commands that mend it. ``cluster`` and ``local`` look, ``examination`` does one check after the
other, and ``command`` is the command. Is imported by ``cli.main`` only.
"""
