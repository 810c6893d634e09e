"""What a worker counts for Prometheus, and what maintenance knows of the whole installation."""
