"""What is asked and answered: task types, requests, answers, prices. Nothing here reaches a server."""
