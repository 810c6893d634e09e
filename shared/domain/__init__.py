"""Task types, requests, answers and prices, none of which connects to a server."""
