"""`askonce warm`: fills the cache with the answers to the questions of a file."""
