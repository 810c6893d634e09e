"""How many commands memcached and Valkey have got, as they count them themselves."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pymemcache.client.base import Client
from redis import Redis

from tests.servers import Servers


@contextmanager
def commands_counted(servers: Servers) -> Iterator[Callable[[], Counter[str]]]:
    """Lend a function that returns the counts so far, by the command's name."""
    memcached, redis = Client(servers.memcached.address), Redis.from_url(servers.valkey.url(0))

    def counted() -> Counter[str]:
        stats = memcached.stats()
        found = Counter({name: int(stats[name.encode()]) for name in ("cmd_get", "cmd_set", "cmd_touch")})
        for name, of_command in redis.info("commandstats").items():  # type: ignore[union-attr]  # not awaitable here
            if name != "cmdstat_info":
                found[name] = of_command["calls"]
        return found

    yield counted
    memcached.close()
    redis.close()
