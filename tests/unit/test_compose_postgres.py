"""The application's role in the PostgreSQL of docker compose is no superuser."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = "deploy/postgres-roles.sh"


def postgres() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["postgres"]
    return found


def test_the_image_makes_no_superuser_of_the_application() -> None:
    assert not {"POSTGRES_USER", "POSTGRES_DB"} & postgres()["environment"].keys()


def test_the_application_gets_its_role_and_the_superuser_loses_its_password() -> None:
    assert f"./{SCRIPT}:/docker-entrypoint-initdb.d/postgres-roles.sh:ro" in postgres()["volumes"]
    script = (ROOT / SCRIPT).read_text()
    assert "CREATE ROLE askonce LOGIN PASSWORD :'password';" in script
    assert "ALTER ROLE postgres PASSWORD NULL;" in script
