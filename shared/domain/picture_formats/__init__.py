"""Walks over picture files, which check their structure. Nothing is decoded, so that no file makes a walk slow."""
