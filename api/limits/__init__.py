"""How much each key and tenant may ask: the limits of requests per minute, and what a client is told of its limits."""
