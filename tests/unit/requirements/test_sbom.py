import json

import pytest

from requirements.locks import lock_names, read_lock
from requirements.sbom import INCLUDED, bill_of_materials


def test_every_lock_has_a_bill_of_materials() -> None:
    assert set(INCLUDED) == set(lock_names())


@pytest.mark.parametrize("lock", lock_names())
def test_a_bill_names_every_package_of_its_lock(lock: str) -> None:
    components = json.loads(bill_of_materials(lock))["components"]
    assert [(each["name"], each["version"]) for each in components] == [
        (package.name, package.version) for package in read_lock(lock)
    ]


def test_a_package_has_its_address_and_the_hashes_of_its_files() -> None:
    package = next(each for each in read_lock("worker") if each.name == "pillow")
    components = json.loads(bill_of_materials("worker"))["components"]
    component = next(each for each in components if each["name"] == "pillow")
    assert component["purl"] == f"pkg:pypi/pillow@{package.version}"
    assert [each["content"] for each in component["hashes"]] == list(package.hashes)


@pytest.mark.parametrize("lock", lock_names())
def test_what_we_ask_for_is_known_in_the_bill(lock: str) -> None:
    bill = json.loads(bill_of_materials(lock))
    (root,) = bill["dependencies"]
    assert root["ref"] == bill["metadata"]["component"]["bom-ref"]
    assert root["dependsOn"]
    assert set(root["dependsOn"]) < {each["bom-ref"] for each in bill["components"]}


def test_the_same_locks_give_the_same_bytes() -> None:
    assert bill_of_materials("api") == bill_of_materials("api")


def test_bills_of_different_locks_have_different_names() -> None:
    names = {json.loads(bill_of_materials(lock))["serialNumber"] for lock in lock_names()}
    assert len(names) == len(lock_names())
