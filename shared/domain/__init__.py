"""Task types, requests, answers and prices. Nothing here connects to a server."""
