"""A bare Flask view in front of memcached: what a cache costs with nothing around it. Run by granian's WSGI mode."""

import json

from cached_answer import ANSWER, SECONDS, key_of, memcached
from flask import Flask, Response, jsonify, request
from pymemcache.client.base import PooledClient

app = Flask(__name__)
cache = PooledClient(memcached(), max_pool_size=8, timeout=1, connect_timeout=1, no_delay=True)


@app.post("/predict")
def predict() -> Response:
    """Return the cached answer; the first request stores it."""
    key = key_of(request.get_json())
    found = cache.get(key)
    if found is None:
        cache.set(key, json.dumps(ANSWER), expire=SECONDS, noreply=False)
    answer = ANSWER if found is None else json.loads(found)
    response = jsonify({**answer, "cached": found is not None})
    response.headers["X-Cache"] = "miss" if found is None else "hit"
    return response
