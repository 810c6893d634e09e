"""Two tiers of memory for answers."""
