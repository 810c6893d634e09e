import re
from itertools import chain

import pytest

from shared.jobs import transitions
from shared.jobs.job import ENDED
from shared.jobs.transitions import ACCEPT, CANCEL, NO_ROW, RESCUE, Transition, WrongColumns
from tests.checkout import CHECKOUT

TABLE = {name: found for name, found in vars(transitions).items() if isinstance(found, Transition)}
MOVES = set(chain.from_iterable(found.moves for found in TABLE.values()))
ARCHITECTURE = (CHECKOUT / "docs/architecture.md").read_text()


def test_a_statement_that_forgets_a_column_is_not_made() -> None:
    with pytest.raises(WrongColumns, match="request"):
        CANCEL.update(completed_at=None)


def test_a_statement_that_writes_one_more_column_is_not_made() -> None:
    with pytest.raises(WrongColumns, match="attempts"):
        RESCUE.assignments(not_before="now()", publish_at="now()", attempts="0")


def test_an_insertion_that_forgets_a_column_is_not_made() -> None:
    with pytest.raises(WrongColumns, match=r"Missing: \['cache_key'\]"):
        ACCEPT.insertion(**dict.fromkeys(ACCEPT.writes - {"cache_key"}, "%s"))


def test_an_insertion_that_sets_one_more_column_is_not_made() -> None:
    with pytest.raises(WrongColumns, match="attempts"):
        ACCEPT.insertion(**dict.fromkeys(ACCEPT.writes, "%s"), attempts="0")


def test_an_insertion_gives_each_column_its_value_and_the_status() -> None:
    columns, row = ACCEPT.insertion(**{name: f":{name}" for name in sorted(ACCEPT.writes)})
    assert row == columns.replace("(", "(:").replace(", ", ", :").replace(":status", "'queued'")


def test_a_statement_in_sql_clears_what_the_table_says() -> None:
    written = RESCUE.assignments(not_before="now()", publish_at="now()")
    assert (
        written == "status = 'queued', not_before = now(), publish_at = now(), content_lock = NULL, lease_until = NULL"
    )


def test_a_job_that_has_ended_keeps_its_status() -> None:
    assert all(target in {source, NO_ROW} for source, target in MOVES if source in ENDED)


def test_the_diagram_shows_every_change_of_status() -> None:
    diagram = ARCHITECTURE.partition("stateDiagram-v2")[2].partition("```")[0]
    shown = set(re.findall(r"^    (\w+) --> (\w+)", diagram, re.MULTILINE))
    assert shown == {
        (source, target) for source, target in MOVES if NO_ROW not in {source, target} and source != target
    }
