"""``cxbus doctor``: checks whether everything is as the bus needs it, and says how to fix what is not.

``brokers``, ``topics``, ``transactions``, ``identity`` and ``machine`` are the checks, all pure; ``remedy`` writes the
commands that fix a finding. ``cluster`` and ``local`` collect the facts, ``examination`` runs the checks one after the
other, and ``command`` is the command. Only ``cli.main`` imports it.
"""
