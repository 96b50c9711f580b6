"""From entries and rules to alerts: what matches, who is told, in which words, and what keeps silent."""
