"""Starts programs, watches and restarts them, and ends them together."""
