"""One machine without Docker: real servers, a supervisor, and a simulator of the providers."""
