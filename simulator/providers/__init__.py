"""The providers as their clients meet them: addresses, requests, replies, refusals."""
