import pytest

from requirements.locks import Locked, direct_requirements, lock_names, parse_lock, read_lock

DIGEST, OTHER = "a" * 64, "b" * 64
LOCK = f"""\
Some_Package==1.2.3 \\
    --hash=sha256:{DIGEST} \\
    --hash=sha256:{OTHER}
other==4 ; sys_platform == 'win32' \\
    --hash=sha256:{OTHER}
"""


def test_a_lock_is_read_with_versions_markers_and_hashes() -> None:
    assert parse_lock(LOCK) == (
        Locked("some-package", "1.2.3", None, (DIGEST, OTHER)),
        Locked("other", "4", "sys_platform == 'win32'", (OTHER,)),
    )


@pytest.mark.parametrize("line", ["package>=1", "--index-url https://example.com", f"--hash=sha256:{DIGEST}"])
def test_what_is_no_lock_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a line of a lock"):
        parse_lock(line)


@pytest.mark.parametrize("name", lock_names())
def test_every_locked_package_has_hashes(name: str) -> None:
    packages = read_lock(name)
    assert packages
    assert [package for package in packages if not package.hashes] == []


def test_a_package_has_one_version_in_all_locks_of_ours() -> None:
    versions: dict[str, set[str]] = {}
    for name in set(lock_names()) - {"audit"}:
        for package in read_lock(name):
            versions.setdefault(package.name, set()).add(package.version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_we_do_not_ask_for_ourselves() -> None:
    assert "askonce" not in {each.name for asked in direct_requirements().values() for each in asked}
