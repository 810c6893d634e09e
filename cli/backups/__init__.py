"""`askonce backup` and `restore`: all that is in PostgreSQL, by pg_dump and pg_restore."""
