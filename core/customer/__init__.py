"""One customer: the step that takes in a record, what it changes about their alerts, and what is written."""
