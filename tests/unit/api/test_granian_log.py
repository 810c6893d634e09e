import logging

import pytest

from api.granian_log import OurWords


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Unexpected exit from worker-1", "Unexpected exit from server process 1"),
        ("Killing worker-12 after a while", "Killing server process 12 after a while"),
        ("Worker crash loop detected, exiting", "Server process crash loop detected, exiting"),
        ("Shutting down granian", "Shutting down granian"),
    ],
)
def test_a_server_process_is_not_called_a_worker(said: str, logged: str) -> None:
    record = logging.makeLogRecord({"msg": said})
    assert OurWords().filter(record)
    assert record.getMessage() == logged


def test_what_granian_fills_into_its_message_is_kept() -> None:
    record = logging.makeLogRecord({"msg": "%s of worker-1", "args": ("100 %",)})
    OurWords().filter(record)
    assert record.getMessage() == "100 % of server process 1"
