"""The dialects of the endpoints that ask: how each reads its requests, and how it writes answers, jobs and errors."""
