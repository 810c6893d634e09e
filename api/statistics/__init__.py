"""Statistics: which period, read from PostgreSQL, and reported."""
