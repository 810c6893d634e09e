import logging
from collections.abc import Iterator

import pytest

from shared.logs.context import WithContext, log_fields


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    context = WithContext()
    caplog.handler.addFilter(context)
    yield caplog
    caplog.handler.removeFilter(context)


def fields(lines: pytest.LogCaptureFixture) -> dict[str, object]:
    logging.getLogger("askonce.test").warning("A sentence", extra={"attempt": 1})
    return {
        name: value for name, value in vars(lines.records[-1]).items() if name in {"attempt", "job_id", "request_id"}
    }


def test_every_line_within_has_the_fields(lines: pytest.LogCaptureFixture) -> None:
    with log_fields(request_id="r-1"):
        assert fields(lines) == {"attempt": 1, "request_id": "r-1"}


def test_no_line_after_has_them(lines: pytest.LogCaptureFixture) -> None:
    with log_fields(request_id="r-1"):
        pass
    assert fields(lines) == {"attempt": 1}


def test_inner_fields_add_to_outer_ones_and_go_first(lines: pytest.LogCaptureFixture) -> None:
    with log_fields(job_id="j-1"):
        with log_fields(request_id="r-1"):
            assert fields(lines) == {"attempt": 1, "job_id": "j-1", "request_id": "r-1"}
        assert fields(lines) == {"attempt": 1, "job_id": "j-1"}


def test_a_field_that_is_not_known_is_left_out(lines: pytest.LogCaptureFixture) -> None:
    with log_fields(job_id="j-1", request_id=None):
        assert fields(lines) == {"attempt": 1, "job_id": "j-1"}


def test_what_a_line_says_itself_wins(lines: pytest.LogCaptureFixture) -> None:
    with log_fields(attempt="outer"):
        assert fields(lines) == {"attempt": 1}
