"""The request log in PostgreSQL: rows, their aggregates, and the overflow in Redis."""
