"""``cxbus dead``: what could not be used, why, and trying it again. ``listing`` looks, ``retry`` publishes."""
