"""What a job is, how it may end, and how the API and the workers tell each other."""
