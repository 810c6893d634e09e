"""A picture in a worker: downloaded, checked, and decoded in a process of its own."""
