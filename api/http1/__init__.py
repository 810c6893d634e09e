"""HTTP/1.1 (RFC 9112) for one event loop: connections, their requests and responses, parsed by httptools."""
