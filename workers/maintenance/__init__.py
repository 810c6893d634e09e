"""What runs every few seconds, whatever the jobs: sweeps, pruning, the overflow of the request log."""
