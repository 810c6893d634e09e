"""Asynchronous clients of both cache tiers, for the event loop of the front."""
