"""Series for Prometheus: added up in memory as things happen, and put into words when somebody asks."""
