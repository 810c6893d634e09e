"""Walks over picture files, which check the structure but decode nothing, so that no file makes a walk slow."""
