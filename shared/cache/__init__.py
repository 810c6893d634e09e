"""The answer cache: memcached, then Redis."""
