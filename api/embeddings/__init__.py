"""Embeddings for clients of OpenAI's API: one answer for each text, and one job for those that no tier has."""
