"""From entries and rules to alerts: matches, suppression, notification, and the messages about alerts."""
