"""The worker process: how it consumes messages, sends heartbeats, shuts down, and appears in Flower."""
