"""What beat starts every few seconds: sweeps, pruning, folding, and draining the overflow of the request log."""
