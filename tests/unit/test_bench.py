"""The table of `make bench`: what it says of a run, and that the document shows the run that lies beside it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bench import check
from bench.machine import Machine
from bench.questions import BODY_BYTES, numbered, question
from bench.report import documents
from bench.report.chart import chart
from bench.report.tables import as_markdown, as_text, verdict
from bench.table import result as results
from bench.table.rows import CONTENDERS, ROWS, chosen
from bench.table.run import Rounds
from bench.table.samples import Sample
from bench.traffic import post

MACHINE = Machine(cpu="a CPU", cores=2, kernel="6.1", python="3.11.7", load_before=0.1)
HOW = {"rounds": 3, "seconds": 1.0}


def sample(rate: float | None) -> Sample | None:
    """Return what a round came to; None for one that failed."""
    return rate and Sample(rate=rate, p50_ms=1.0, p99_ms=2.0, cpu_us=1e6 / rate, load_busy=0.5)


def run_of(*names: str, missing: dict[str, str] | None = None, **rates: list[float | None]) -> dict[str, Any]:
    measured = Rounds(missing=missing or {})
    for name, column in rates.items():
        measured.samples[name] = [sample(rate) for rate in column]
        measured.failures += [f"round {number}: {name}" for number, rate in enumerate(column) if rate is None]
    return results.result_of(measured, chosen(list(names)), MACHINE, HOW)


@pytest.fixture
def last_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Any]:
    monkeypatch.setattr(check, "LAST", tmp_path / "bench.json")
    return tmp_path / "bench.json"


def test_a_ratio_is_the_median_of_those_of_the_rounds() -> None:
    row = run_of("hit-flask", hit=[300.0, 500.0, 100.0], flask=[100.0, 100.0, 100.0])["rows"][0]
    assert (row["value"], row["low"], row["high"]) == (3.0, 1.0, 5.0)


@pytest.mark.parametrize(("value", "said"), [(4.0, "goal reached"), (3.0, "gate reached"), (2.9, "missed")])
def test_more_is_better(value: float, said: str) -> None:
    assert verdict({"value": value, "gate": 3, "goal": 4, "less": False}) == said


@pytest.mark.parametrize(("value", "said"), [(1.0, "goal reached"), (1.3, "gate reached"), (1.31, "missed")])
def test_less_is_better_where_the_row_says_so(value: float, said: str) -> None:
    assert verdict({"value": value, "gate": 1.3, "goal": 1, "less": True}) == said


def test_a_peer_that_is_missing_is_named_with_the_reason() -> None:
    run = run_of("hit-litellm", hit=[100.0], missing={"litellm": "could not be installed here"})
    for text in (as_text(run), as_markdown(run)):
        assert "hit-litellm: LiteLLM proxy, Redis cache: could not be installed here" in text


def test_a_round_that_failed_is_left_out_and_told() -> None:
    run = run_of("hit-flask", hit=[300.0, None, 500.0, 800.0], flask=[100.0, 100.0, None, 100.0])
    assert run["rows"][0]["value"] == 5.5
    assert "round 1: hit" in as_text(run)
    assert "round 2: flask" in as_markdown(run)


def test_a_row_whose_rounds_all_failed_has_no_value() -> None:
    assert run_of("hit-flask", hit=[300.0, None], flask=[None, 100.0])["rows"][0]["value"] is None
    assert run_of("hit-flask", hit=[None], flask=[100.0])["rows"][0]["value"] is None


def test_a_figure_that_the_load_limited_is_marked() -> None:
    run = run_of("hit-flask", hit=[300.0], flask=[100.0])
    assert "!" not in as_text(run)
    run["contenders"]["hit"]["load_busy"] = 0.99
    assert "99% !" in as_text(run)


def test_the_check_fails_with_the_rows_that_miss_their_gate(last_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    results.write(run_of("hit-flask", "poll-ended", hit=[300.0], flask=[100.0], poll_ended=[10.0]), last_run)
    assert check.main() == 1
    assert "1 of 2 rows" in (said := capsys.readouterr().out)
    assert said.startswith("poll-ended: ")


def test_the_check_passes_when_every_gate_is_reached(last_run: Any) -> None:
    results.write(run_of("hit-flask", hit=[300.0], flask=[100.0]), last_run)
    assert check.main() == 0


def test_the_check_fails_with_a_round_that_failed(last_run: Any) -> None:
    results.write(run_of("hit-flask", hit=[300.0, None], flask=[100.0, 100.0]), last_run)
    assert check.main() == 1


def test_the_check_needs_a_run(last_run: Any) -> None:
    assert not last_run.exists()
    assert check.main() == 2


def test_rows_have_names_of_their_own_and_compare_what_is_measured() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {name for row in ROWS for name in (row.contender, row.rival)} <= CONTENDERS.keys()


def test_rows_are_chosen_by_the_beginning_of_their_names() -> None:
    assert [row.name for row in chosen(["poll", "wait"])] == ["poll-ended", "poll-live", "wait"]
    assert chosen([]) == list(ROWS)
    assert chosen(["nothing"]) == []


def test_questions_have_the_same_size_with_any_number() -> None:
    body = numbered("New").replace(b"{number}", b"0000000001")
    assert len(body) == len(json.dumps(question("Known"))) == BODY_BYTES
    assert f"Content-Length: {BODY_BYTES}\r\n".encode() in post("/", numbered("New"))


def test_the_document_shows_the_run_beside_it() -> None:
    run = results.read(documents.TABLE)
    text = documents.DOCUMENT.read_text()
    assert documents.with_part(text, documents.TABLE_MARK, as_markdown(run)) == text, "make bench"
    assert documents.CHART.read_text() == chart(run)


def test_a_document_without_the_marker_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no part"):
        documents.with_part("nothing here", documents.TABLE_MARK, "a table")
