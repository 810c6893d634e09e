"""Pictures in a worker: downloaded, checked, and decoded in separate processes."""
