"""OpenAI's Responses API: its requests as chat completions, completions as its responses, and what is kept of them."""
