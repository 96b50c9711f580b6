"""What the bus runs on: the embedded Kafka broker. Imports no other top-level package."""
