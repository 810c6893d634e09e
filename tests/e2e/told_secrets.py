"""Every path through an AskOnce that knows secrets, and all that it let others see."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests

from local.child_environment import child_environment
from local.status import as_json, as_table, effective_environment, records
from shared.config import Settings
from tests.e2e import heard
from tests.e2e.own_users import OwnUsers
from tests.e2e.planted import Secret, secret_key
from tests.keys_command import askonce_keys
from tests.servers import session_servers
from tests.stack import Stack, eventually

Place = dict[str, bytes]
"""What was seen in one place, by its name."""

QUESTION = "a question that the places have to show"
CLIENT = "a client's key of ours"
STRANGER = "a stranger's Authorization"
WRONG = "a wrong REDIS_CACHE_URL"
SERVERS_WITH_PASSWORDS = {"postgres", "redis", "broker"}
FLOWER_PAGES = (
    *("/", "/tasks", "/tasks/datatable?draw=1&start=0&length=100&order[0][column]=0", "/broker", "/metrics"),
    *("/healthcheck", "/nothing", "/api/workers?refresh=1", "/api/tasks", "/api/task/types", "/api/queues/length"),
)
API_PAGES = (
    *(
        "/metrics",
        "/openapi.json",
        "/docs",
        "/nothing",
        "/api/v1/health",
        "/api/v1/health/live",
        "/api/v1/health/ready",
    ),
    *(
        "/api/v1/jobs",
        "/api/v1/jobs/nothing",
        "/api/v1/requests",
        "/api/v1/statistics",
        "/api/v1/overview",
        "/api/v1/tasks",
        "/api/v1/predict",
        "/api/v1/keys",
    ),
)
TEXTS = (QUESTION, QUESTION, "echo 400", "echo 401", "echo 503", "hang up")
SAID_IN_THE_LOGS = {
    "api": b"Server is down",
    "beat": b"Not sent: the broker is away",
    "flower": b"Failed to capture events",
    **{f"worker-{queue}": b"The broker is away" for queue in ("text", "image", "maintenance")},
}
"""What each program logs when its passwords are refused."""


@dataclass
class Told:
    """A running stack, the secrets that it knows, and what was seen, by place."""

    stack: Stack
    users: OwnUsers
    secrets: dict[str, Secret]
    picture_url: str
    sent: list[bytes] = field(repr=False)
    """Every request that came to the providers and to the picture's server, which are one."""
    places: dict[str, Place] = field(default_factory=dict, repr=False)
    _numbers: Iterator[int] = field(default_factory=count)

    def keep(self, place: str, seen: Place) -> None:
        """Add what was seen now; an earlier look at the same thing stays."""
        at = next(self._numbers)
        self.places.setdefault(place, {}).update({f"{name} ({at})": text for name, text in seen.items()})

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """Call the API as a client with a key."""
        response = self.call_with(self.secrets[CLIENT].value, method, path, **more)
        self.keep("the API", {f"{method} {path}": heard.as_text(response)})
        return response

    def call_with(self, key: str, method: str, path: str, **more: Any) -> requests.Response:
        """Call the API with a key in both places that may have one; the response is not kept."""
        headers = {"Authorization": f"Bearer {key}", "X-API-Key": key, **more.pop("headers", {})}
        return requests.request(method, self.stack.url(path), headers=headers, timeout=90, **more)

    def ask(self, task_type: str, given: str, **options: Any) -> requests.Response:
        """Ask, and wait for the end of the job."""
        body = {"task_type": task_type, "input": given, "options": options}
        return self.call("POST", "/api/v1/predict", json=body, headers={"Prefer": "wait=60"})

    def flower(self, path: str, password: str) -> requests.Response:
        """Read a page of Flower."""
        url = f"{self.stack.environment['FLOWER_URL']}{path}"
        response = requests.get(url, auth=("name", password) if password else None, timeout=30)
        self.keep("Flower", {path: heard.as_text(response)})
        return response

    def run_jobs(self) -> None:
        """Let calls be hits and misses, and jobs succeed and fail."""
        for text in TEXTS:
            self.ask("chat", text)
            self.ask("translation", text, target_language="de")
        self.ask("image_classification", self.picture_url)
        self.ask("image_classification", f"{self.picture_url}.missing")
        # The provider sees the number in what it is sent, and refuses.
        self.ask("image_classification", self.picture_url, top_k=9)
        for request in self.call("GET", "/api/v1/requests").json()["requests"]:
            self.call("GET", f"/api/v1/requests/{request['id']}")

    def make_keys(self, settings: Settings) -> None:
        """Make a key and give it another secret, which only who asked sees; use both once they are worth nothing."""
        admin, wanted = self.secrets[CLIENT].value, {"name": "made", "scopes": ["read"]}
        made = self.call_with(admin, "POST", "/api/v1/keys", json=wanted).json()
        path = f"/api/v1/keys/{made['id']}"
        rotated = self.call_with(admin, "POST", f"{path}/rotate", json={}).json()
        keys = {name: secret_key(name, shown["key"]) for name, shown in (("made", made), ("rotated", rotated))}
        self.secrets.update(keys)
        assert self.call_with(rotated["key"], "GET", "/api/v1/tasks").ok
        for method, each in (("PATCH", path), ("DELETE", path), ("GET", path), ("GET", "/api/v1/keys")):
            self.call(method, each, json={"name": "changed"} if method == "PATCH" else None)
        worthless = [*(secret.value for secret in keys.values()), self.secrets[STRANGER].value]
        for key in (*worthless, rotated["key"][:-1]):
            response = self.call_with(key, "POST", "/api/v1/predict", json={"task_type": "chat", "input": "Hi"})
            assert response.status_code == requests.codes.unauthorized
            self.keep("the API", {"worthless": heard.as_text(response)})
        for arguments in (("list",), ("list", "--json"), ("show", made["id"])):
            self.keep("askonce keys", {" ".join(arguments): "".join(askonce_keys(settings, *arguments)).encode()})

    def ask_wrongly(self) -> None:
        """Let the API refuse, and fail itself."""
        self.call("POST", "/api/v1/predict", json={"task_type": "chat"})
        self.call("POST", "/api/v1/predict", data="no JSON")
        self.call("DELETE", "/api/v1/cache/nothing")
        self.stack.sql("ALTER TABLE jobs RENAME TO hidden; SELECT 1")
        assert self.ask("chat", "into the void").status_code == requests.codes.server_error
        self.stack.sql("ALTER TABLE hidden RENAME TO jobs; SELECT 1")

    def look_at_pages(self) -> None:
        """Read what the API and Flower show, Flower with its password, with a wrong one, and with none."""
        for path in API_PAGES:
            self.call("GET", path)
        right = self.secrets["FLOWER_BASIC_AUTH"].value
        workers = self.flower("/workers?json=1", right).json()["data"]
        for path in (*FLOWER_PAGES, *(f"/worker/{each['hostname']}" for each in workers)):
            for password in (right, "wrong", ""):
                self.flower(path, password)

    def look_at_servers(self) -> None:
        """Read the whole database, all of Valkey, and every process's arguments."""
        servers = session_servers()
        self.keep("the database", heard.database(servers.postgres.url(self.users.database)))
        self.keep("Redis", heard.redis(servers))
        self.keep("process lists", heard.command_lines())

    def crash(self) -> None:
        """Kill a worker; the supervisor starts another one."""
        self.stack.end("worker-text", signal.SIGKILL)

    def look_at_commands(self, settings: Mapping[str, str]) -> None:
        """Ask `askonce` what runs, and where."""
        found = records(self.stack.root, settings)
        self.keep("askonce status", {"table": as_table(found).encode(), "JSON": json.dumps(as_json(found)).encode()})
        self.keep("askonce env", {"lines": repr(effective_environment(self.stack.root, settings)).encode()})

    def lock_out(self) -> None:
        """Change every password behind the processes' backs, and wait until each has said what came of it."""
        self.users.change_passwords()
        eventually(self._all_is_down, 60)
        self.ask("chat", "behind a closed door")
        self.look_at_pages()
        logs = self.stack.root / ".askonce" / "logs"
        for name, words in SAID_IN_THE_LOGS.items():
            eventually(lambda name=name, words=words: words in (logs / f"{name}.log").read_bytes(), 60)

    def start_wrongly(self, settings: Mapping[str, str]) -> None:
        """Start what can't start: an API with an address that is none, and a migration with a wrong password."""
        wrong_url = f"redis://:{self.secrets[WRONG].value}@127.0.0.1/0"
        for module, changed in (("api", {"REDIS_CACHE_URL": wrong_url}), ("shared.db.migrate", {})):
            environment = child_environment({**settings, **changed})
            command = [sys.executable, "-m", module]
            ended = subprocess.run(command, env=environment, cwd=self.stack.root, capture_output=True, check=False)
            assert ended.returncode > 0
            self.keep("starts that fail", {module: ended.stdout + ended.stderr})

    def look_at_logs(self) -> None:
        """Read all that was logged and printed."""
        self.keep("logs", heard.logs(self.stack.root, session_servers()))

    def _all_is_down(self) -> bool:
        dependencies = self.call("GET", "/api/v1/health").json()["dependencies"]
        return {name for name, found in dependencies.items() if found["state"] == "down"} >= SERVERS_WITH_PASSWORDS
