"""A job in a worker's hands: its claim, its lease, its provider calls, its next try."""
