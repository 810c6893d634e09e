"""PostgreSQL, Valkey and memcached on one machine, without Docker."""
