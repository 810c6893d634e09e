"""`askonce doctor`."""

import pytest

from local.ports import free_port
from tests.e2e.command_line import CommandLine


def test_all_is_looked_at_and_nothing_is_wrong(on_servers: CommandLine) -> None:
    looked = on_servers("doctor", "--json")
    found = {finding["what"]: finding for finding in looked.document}
    assert [finding for finding in looked.document if finding["state"] == "wrong"] == []
    assert looked.code == 0
    assert {
        "values of settings",
        "service",
        "PostgreSQL",
        "schema",
        "queue text",
        "provider simulated for groq",
    } <= found.keys()
    assert {name for name in found if name.startswith("clock of ")} >= {"clock of the API", "clock of PostgreSQL"}
    assert found["queue text"]["seen"].endswith("1 worker")
    assert "GROQ_API_KEY" in found["providers"]["advice"]


def test_what_is_wrong_comes_with_advice(on_servers: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("MEMCACHED_SERVERS", nobody)
    looked = on_servers("doctor")
    (number,) = (number for number, line in enumerate(looked.lines) if f"memcached {nobody}" in line)
    assert (looked.code, looked.lines[number].split()[0]) == (1, "wrong")
    assert looked.lines[number + 1].split(maxsplit=1) == ["->", "Start it, or look at MEMCACHED_SERVERS."]


def test_a_wrong_setting_is_named_and_the_rest_is_looked_at_all_the_same(
    on_servers: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L1_TTL_SECONDS", "soon")
    found = {finding["what"]: finding for finding in on_servers("doctor", "--json").document}
    assert "L1_TTL_SECONDS" in found["values of settings"]["seen"]
    assert found["service"]["state"] == "ok"
