"""What a worker does with a job: claims, leases, content locks, records of provider calls, retries."""
