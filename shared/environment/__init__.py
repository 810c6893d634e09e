"""Settings as text: where they come from, how each is read and checked."""
