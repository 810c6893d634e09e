"""Calls to other machines, each under a deadline and a size limit."""
