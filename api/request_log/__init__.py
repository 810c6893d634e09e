"""The request log as the API handles it: buffered, redacted, read again."""
