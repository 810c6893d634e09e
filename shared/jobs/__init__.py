"""What a job is, what may happen to it, its errors, its queue, and the events that announce its end."""
