"""The metrics of workers beside those of the API."""

import pytest

from api.metrics_merged import MergedMetrics

OWN = b"""\
# HELP askonce_waiters Waiting.
# TYPE askonce_waiters gauge
askonce_waiters 3.0
# HELP askonce_database_down Down.
# TYPE askonce_database_down gauge
askonce_database_down 0.0
"""
OF_A_WORKER = b"""\
# HELP askonce_jobs_ended_total Jobs.
# TYPE askonce_jobs_ended_total counter
askonce_jobs_ended_total{status="completed"} 7.0
# HELP askonce_database_down Down.
# TYPE askonce_database_down gauge
askonce_database_down 1.0
"""


def test_each_workers_series_have_its_name_and_each_family_comes_once() -> None:
    merged = MergedMetrics().merge(OWN, {"text@a": OF_A_WORKER, "text@b": OF_A_WORKER}).decode()
    assert merged.splitlines() == [
        "# HELP askonce_waiters Waiting.",
        "# TYPE askonce_waiters gauge",
        "askonce_waiters 3.0",
        "# HELP askonce_database_down Down.",
        "# TYPE askonce_database_down gauge",
        "askonce_database_down 0.0",
        'askonce_database_down{worker="text@a"} 1.0',
        'askonce_database_down{worker="text@b"} 1.0',
        "# HELP askonce_jobs_ended_total Jobs.",
        "# TYPE askonce_jobs_ended_total counter",
        'askonce_jobs_ended_total{status="completed",worker="text@a"} 7.0',
        'askonce_jobs_ended_total{status="completed",worker="text@b"} 7.0',
    ]


def test_a_worker_that_makes_no_sense_spoils_nothing(caplog: pytest.LogCaptureFixture) -> None:
    merged = MergedMetrics().merge(OWN, {"text@a": b"n_total many"})
    assert merged == OWN
    assert [record.message for record in caplog.records] == ["Metrics of a worker can't be read"]
