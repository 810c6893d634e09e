"""The asynchronous front: reads heads and bodies, holds who waits for a job, and hands whole requests to Flask."""
