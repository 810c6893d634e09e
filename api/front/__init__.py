"""The asynchronous front: reads requests, passes them whole to Flask, and holds calls that wait for a job."""
