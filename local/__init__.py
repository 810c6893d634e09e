"""One machine without Docker: real servers, and the supervisor of everything that runs."""
