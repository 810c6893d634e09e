"""The audit of hits on the workers' side: ask again what a tier has answered, compare, and count what came of it."""
