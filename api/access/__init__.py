"""Who may do what: API keys, and the client that a request comes from."""
