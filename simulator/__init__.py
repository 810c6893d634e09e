"""A simulator of Groq's and Hugging Face's wire formats: deterministic answers, sample pictures, faults on order."""

from simulator.app import create_app

__all__ = ["create_app"]
