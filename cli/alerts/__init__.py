"""``cxbus alerts``: what the departments were told, and why. One module for each verb."""
