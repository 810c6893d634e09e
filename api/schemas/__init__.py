"""The shapes of requests and responses, for validation and for OpenAPI."""
