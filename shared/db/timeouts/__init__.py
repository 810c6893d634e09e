"""How long a transaction may take: until it has a connection, on the server, on the way there, and in all."""
