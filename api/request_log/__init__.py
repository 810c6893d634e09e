"""The request log in the API: buffered, redacted, read."""
