"""Faults that tests order: refusals, corrupted answers, broken connections."""
