"""`askonce export` and `import`: the cache and the request log as JSONL, from one installation to another."""
