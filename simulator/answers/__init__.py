"""What the simulated models say."""
