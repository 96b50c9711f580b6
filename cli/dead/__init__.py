"""``cxbus dead``: dead letters and their reasons (``listing``), and publishing them again (``retry``)."""
