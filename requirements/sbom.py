"""`make sbom`: a bill of materials for each lock, as CycloneDX JSON. The same locks give the same bytes.

It is made from the locks alone, offline. So it names what is installed from Python packages, and not what the base
images of the containers hold; and it says what we ask for ourselves, and not who brings the rest (docs/dependencies.md
does). https://cyclonedx.org/docs/1.6/json/
"""

import json
import sys
import tomllib
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from packaging.utils import canonicalize_name

from requirements.locks import AUDIT, OURSELVES, ROOT, RUNTIME, Locked, direct_requirements, lock_names, read_lock

FOLDER = ROOT / "build" / "sbom"
INCLUDED = {
    "simulator": (RUNTIME, "simulator"),
    "api": (RUNTIME, "api"),
    "worker": (RUNTIME, "worker"),
    "local": (RUNTIME, "api", "worker", "simulator", "local"),
    "dev": (RUNTIME, "api", "worker", "simulator", "local", "dev"),
    AUDIT: (AUDIT,),
}
"""What each lock is compiled from: names of `direct_requirements`."""


def bill_of_materials(lock: str) -> str:
    """Return the document of a lock."""
    packages = read_lock(lock)
    asked = direct_requirements()
    direct = {canonicalize_name(each.name) for where in INCLUDED[lock] for each in asked[where]}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": OURSELVES,
                "name": f"{OURSELVES}-{lock}",
                "version": _version(),
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [{"ref": OURSELVES, "dependsOn": _references(packages, direct)}],
    }
    return json.dumps({**bill, "serialNumber": _serial_number(bill)}, indent=2, sort_keys=True) + "\n"


def _component(package: Locked) -> dict[str, Any]:
    marker = [{"name": "askonce:marker", "value": package.marker}] if package.marker else []
    return {
        "type": "library",
        "bom-ref": _reference(package),
        "name": package.name,
        "version": package.version,
        "purl": _reference(package),
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
        **({"properties": marker} if marker else {}),
    }


def _references(packages: Iterable[Locked], names: Collection[str]) -> list[str]:
    return [_reference(package) for package in packages if package.name in names]


def _reference(package: Locked) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def _serial_number(bill: dict[str, Any]) -> str:
    """Return a name for the document that follows from its content: a random one would change with each run."""
    return uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(bill, sort_keys=True)).urn


def _version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def main() -> int:
    """Write the document of each lock."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for lock in lock_names():
        (FOLDER / f"{lock}.cdx.json").write_text(bill_of_materials(lock))
    sys.stdout.write(f"{', '.join(lock_names())}: {FOLDER.relative_to(ROOT)}/*.cdx.json\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
