"""``cxbus alerts``: the alerts that departments received, and why. One module for each verb."""
