"""What goes wrong on order: refusals, corrupted answers, connections that misbehave."""
