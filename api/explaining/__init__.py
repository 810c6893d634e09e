"""Explains a request without asking it: its key, what the tiers hold for it, and what would become of it."""
