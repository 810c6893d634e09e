"""The HTTP API: Flask and flask-smorest behind an asynchronous front."""
