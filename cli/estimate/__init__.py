"""`askonce estimate`: what AskOnce would have saved, replayed from a log of requests, in bounded memory."""
