"""The whole stack on one machine without Docker: real servers, and the supervisor of all processes."""
