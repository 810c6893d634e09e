"""Settings that only the command `askonce` reads: where a running service is, and the key to it."""

URL, KEY = "ASKONCE_URL", "ASKONCE_KEY"
