"""What an AskOnce shows to others: gathered from its processes, its servers and whoever calls it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import requests
from psycopg2 import sql
from redis import Redis

from tests.servers import Servers

TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
"""
TYPES = {"string": "get", "list": "lrange", "set": "smembers", "hash": "hgetall", "zset": "zrange", "stream": "xrange"}
WHOLE = {"lrange": (0, -1), "zrange": (0, -1)}


def logs(folder: Path, servers: Servers) -> dict[str, bytes]:
    """Return the log of each process and of the servers, and what the supervisor printed."""
    ours = [folder / "supervisor.log", *(folder / ".askonce" / "logs").iterdir()]
    theirs = [servers.postgres.log, servers.valkey.log, servers.memcached.log]
    return {path.name: path.read_bytes() for path in (*ours, *theirs)}


def command_lines() -> dict[str, bytes]:
    """Return the arguments of every process of this machine, as any user may read them."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found[f"process {process.pid}"] = "\0".join(process.cmdline()).encode(errors="surrogateescape")
    return found


def database(url: str) -> dict[str, bytes]:
    """Return every row of every table and view, with all its columns, as text."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [sql.Identifier(*names) for names in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(sql.SQL("SELECT each::text FROM {} AS each").format(table))
            found[table.as_string(cursor)] = "\n".join(text for (text,) in cursor).encode()
    return found


def redis(servers: Servers) -> dict[str, bytes]:
    """Return the value of every key of the cache and of the broker."""
    found = {}
    for number in (0, 1):
        with Redis.from_url(servers.valkey.url(number)) as client:
            for key in client.scan_iter():
                read = TYPES[client.type(key).decode()]
                value = getattr(client, read)(key, *WHOLE.get(read, ()))
                found[f"database {number}, {key!r}"] = repr(value).encode()
    return found


@contextmanager
def commands_of_redis(servers: Servers) -> Iterator[bytearray]:
    """Listen to every command that any client sends to Valkey, messages and events among them."""
    heard = bytearray()
    with socket.create_connection(("127.0.0.1", servers.valkey.port)) as connection:
        connection.sendall(f"AUTH {servers.valkey.password}\r\nMONITOR\r\n".encode())
        listening = threading.Thread(target=_listen, args=(connection, heard))
        listening.start()
        try:
            yield heard
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            listening.join()


def _listen(connection: socket.socket, heard: bytearray) -> None:
    while piece := connection.recv(65536):
        heard.extend(piece)


def as_text(response: requests.Response) -> bytes:
    """Return all of a response: its status, headers and body."""
    headers: dict[str, Any] = {**response.headers}
    return f"{response.status_code} {headers}\n".encode() + response.content
