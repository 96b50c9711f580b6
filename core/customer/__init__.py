"""One customer: the step that processes a record, how it changes their alerts, and what is written."""
