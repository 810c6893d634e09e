"""PostgreSQL: tables, connections, migrations."""
