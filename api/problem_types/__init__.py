"""Every kind of error that a client may meet: when it comes, what to do, and an example that our own code renders."""
