"""How fast the providers may be called, by all workers together."""
