"""What is known about usage: which period, read from PostgreSQL, and reported."""
