"""Programs that are started, watched, restarted and ended together."""
