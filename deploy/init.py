"""`init` of docker-compose.yml: puts each secret where those who need it find it, and invents passwords nobody gave.

A secret is given as a variable or as a file under /run/secrets. Each file that is written belongs to one user and is
closed to all others (mode 0600). Secrets are never printed, only where they are.
"""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from api.access.key_format import new_id, new_key

WHERE = {
    "PostgreSQL's password": "docker compose exec postgres cat /run/askonce/postgres/password",
    "Flower's name:password": "docker compose exec flower cat /run/askonce/flower/basic-auth",
    "The first admin's API key": "docker compose exec api cat /run/askonce/admin/key",
    "Grafana's password": "docker compose exec grafana cat /run/askonce/grafana/password",
}
KEYS = {"GROQ_API_KEY": "text", "HF_API_KEY": "picture"}


@dataclass(frozen=True, slots=True)
class Owners:
    """The users, by id, that read the files."""

    postgres: int = 999
    askonce: int = 10001
    prometheus: int = 65534
    grafana: int = 472


@dataclass(frozen=True, slots=True)
class Secrets:
    """The folder that has one folder for each kind of reader, and what was given."""

    folder: Path
    given_files: Path
    variables: Mapping[str, str]
    owners: Owners

    def fill(self) -> dict[str, str]:
        """Write every file; return how each password came about. A password stays what it is unless one is given."""
        password, postgres = self._password("POSTGRES_PASSWORD", "postgres/password", _invented)
        basic_auth, flower = self._password("FLOWER_BASIC_AUTH", "flower/basic-auth", lambda: f"askonce:{_invented()}")
        own_url = f"postgresql://askonce:{quote(password, safe='')}@postgres:5432/askonce"
        self._write("postgres/password", password, self.owners.postgres)
        self._write("database/url", self._given("DATABASE_URL") or own_url, self.owners.askonce)
        self._write("database/migration-url", self._given("MIGRATION_DATABASE_URL"), self.owners.askonce)
        self._write("flower/basic-auth", basic_auth, self.owners.askonce)
        self._write("providers/groq-api-key", self._given("GROQ_API_KEY"), self.owners.askonce)
        self._write("providers/hf-api-key", self._given("HF_API_KEY"), self.owners.askonce)
        admin_key, admin = self._password("ADMIN_KEY", "admin/key", lambda: new_key(new_id()))
        self._write("admin/key", admin_key, self.owners.askonce)
        # Prometheus asks the API with a key of its own. Who makes it known has a copy.
        prometheus_key, _ = self._password("PROMETHEUS_KEY", "prometheus/key", lambda: new_key(new_id()))
        self._write("prometheus/key", prometheus_key, self.owners.prometheus)
        self._write("admin/prometheus-key", prometheus_key, self.owners.askonce)
        grafana_password, grafana = self._password("GRAFANA_PASSWORD", "grafana/password", _invented)
        self._write("grafana/password", grafana_password, self.owners.grafana)
        ways = (postgres, flower, admin, grafana)
        return dict(zip(WHERE, ways, strict=True))

    def unanswered(self) -> list[str]:
        """Return the kinds of task whose provider has no key."""
        return [tasks for name, tasks in KEYS.items() if not self._given(name)]

    def _password(self, name: str, file: str, invent: Callable[[], str]) -> tuple[str, str]:
        if given := self._given(name):
            return given, "as given"
        if kept := _text(self.folder / file):
            return kept, "kept"
        return invent(), "made now"

    def _given(self, name: str) -> str:
        return self.variables.get(name, "").strip() or _text(self.given_files / name.lower())

    def _write(self, name: str, text: str, owner: int) -> None:
        file = self.folder / name
        draft = file.with_name(f".{file.name}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            target.write(text)
            os.fchown(descriptor, owner, owner)
        draft.replace(file)


def _invented() -> str:
    return secrets.token_urlsafe(24)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def main() -> None:
    """Fill the volumes of the container."""
    found = Secrets(Path("/secrets"), Path("/run/secrets"), os.environ, Owners())
    sys.stdout.writelines(f"{what} ({how}): {WHERE[what]}\n" for what, how in found.fill().items())
    for tasks in found.unanswered():
        sys.stdout.write(
            f"No key for {tasks} tasks: the simulator answers them (docker compose --profile simulator up)\n"
        )


if __name__ == "__main__":
    main()
